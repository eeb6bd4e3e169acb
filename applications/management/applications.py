"""What the commands for client secrets share."""

from django.core.management import CommandError

from accessrules.authorization.callers import SYSTEM
from applications import policy
from applications.models import Application


def application_named(name: str) -> Application:
    """Return the application with this name. Raises CommandError."""
    application = policy.visible(SYSTEM).filter(subject__name=name).first()
    if application is None:
        raise CommandError(f"Unknown application {name!r}.")
    return application
