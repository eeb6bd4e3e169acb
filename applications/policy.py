"""Who may do what with applications: the decision module's answers, in this app's words."""

from uuid import UUID

from django.db.models import QuerySet

from accessrules.authorization.callers import Caller
from accessrules.authorization.policies import Policy
from applications.models import Application

_APPLICATIONS: Policy[QuerySet[Application]] = Policy(
    "apps", lambda: Application.objects.select_related("subject")
)

is_allowed = _APPLICATIONS.is_allowed
require = _APPLICATIONS.require
require_anywhere = _APPLICATIONS.require_anywhere
visible = _APPLICATIONS.visible


def visible_one(caller: Caller, id_: str | UUID) -> Application:
    """Return one application in sight; raise NotFound for any other id, whatever its form."""
    application: Application = _APPLICATIONS.visible_one(caller, id_)
    return application


def one_for(caller: Caller, action: str, id_: str | UUID) -> Application:
    """Return the application to do `action` on; raise Denied or NotFound as the contract has it."""
    application: Application = _APPLICATIONS.one_for(caller, action, id_)
    return application
