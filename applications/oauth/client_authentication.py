"""Client authentication: verifies credentials, updates the last login, and audits the outcome."""

from accessrules.models import Subject
from applications.addresses import is_allowed
from applications.models import Application
from applications.oauth.secret_use import BUFFER
from applications.oauth.secret_verification import ExpiredSecret, authenticate
from applications.validators import is_name
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.db.outage import best_effort
from runai_access.security.throttles import network_of

# The reason in the audit log, which the page of the application finds refusals by.
WRONG_ADDRESS = "address not allowed"


def is_usable_from(application: Application, origin: Origin) -> bool:
    """Return whether the application can be used from the address of a request; audit if not."""
    if is_allowed(application.allowed_addresses, origin.address):
        return True
    id_, name = application.id, application.name
    record_once_a_minute(
        "sign-in",
        Entity("application", str(id_), name),
        actor=Actor(Subject.Type.APP, name, id_, origin),
        succeeded=False,
        reason=WRONG_ADDRESS,
    )
    return False


def sign_in(
    client_id: str, secret: str, origin: Origin, *, known_as: str | None = None
) -> Application | None:
    """Authenticate a client that requests a token; return its application, or None.

    `known_as` is a second identifier that some clients send: the application's ID or its name.
    Raises TooMany and Busy as `authenticate` does.
    """
    application = recognize(client_id, secret, origin, known_as=known_as)
    if application is None:
        return None
    # A client with a cached secret keeps working while the database is read-only or full.
    with best_effort():
        application.note_login()
    id_, name = application.id, application.name
    with best_effort():
        record_once_a_minute(
            "sign-in",
            Entity("application", str(id_), name),
            actor=Actor(Subject.Type.APP, name, id_, origin),
            succeeded=True,
        )
    return application


def recognize(
    client_id: str, secret: str, origin: Origin, *, known_as: str | None = None
) -> Application | None:
    """Authenticate a client that requests no token, and count the use of its secret.

    Only failures are audited; it is not a login.
    """
    reason = "unknown client, wrong secret, or disabled"
    try:
        application = authenticate(client_id, secret, network_of(origin.address))
    except ExpiredSecret:
        application, reason = None, "expired secret"
    if application and known_as is not None:
        is_right = known_as in (str(application.id), application.name)
        application = application if is_right else None
    if application is not None and not is_usable_from(application, origin):
        return None
    if application is not None:
        BUFFER.note(application.used_secret.id, origin)
    else:
        # An invalid client ID could be a secret in the wrong field, so it is not logged.
        name = client_id if is_name(client_id) else "(not a client ID)"
        record_once_a_minute(
            "sign-in",
            Entity("application", name=name),
            actor=Actor("anonymous", name, origin=origin),
            succeeded=False,
            reason=reason,
        )
    return application
