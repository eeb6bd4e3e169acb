"""Programs signing in: credentials checked, the login noted, both outcomes recorded."""

from accessrules.models import Subject
from applications.models import Application
from applications.oauth.secret_verification import authenticate
from applications.validators import is_name
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.db.outage import best_effort
from runai_access.security.throttles import network_of


def sign_in(
    client_id: str, secret: str, origin: Origin, *, known_as: str | None = None
) -> Application | None:
    """Return the application whose credentials these are, else None; for the grant of a token.

    `known_as` is a second name that some clients send: the application's id or its name once more.

    Raises TooMany and Busy as `authenticate` does.
    """
    application = recognize(client_id, secret, origin, known_as=known_as)
    if application is None:
        return None
    # A program goes on while the database is read-only or full, as long as its secret is remembered.
    with best_effort():
        application.note_login()
    with best_effort():
        record_once_a_minute(
            "sign-in",
            Entity("application", str(application.pk), application.name),
            actor=Actor(Subject.Type.APP, application.name, application.pk, origin),
            succeeded=True,
        )
    return application


def recognize(
    client_id: str, secret: str, origin: Origin, *, known_as: str | None = None
) -> Application | None:
    """Do the same for who asks for no token: that is no login, but its failure is recorded too."""
    application = authenticate(client_id, secret, network_of(origin.address))
    if application and known_as not in (None, str(application.pk), application.name):
        application = None
    if application is None:
        # What can't be a client ID may be a secret in the wrong place: it is not written down.
        name = client_id if is_name(client_id) else "(not a client ID)"
        record_once_a_minute(
            "sign-in",
            Entity("application", name=name),
            actor=Actor("anonymous", name, origin=origin),
            succeeded=False,
            reason="unknown client, wrong secret, or disabled",
        )
    return application
