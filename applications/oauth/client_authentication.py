"""Client authentication: verifies credentials, updates the last login, and audits the outcome."""

from accessrules.models import Subject
from applications.addresses import is_allowed
from applications.models import Application
from applications.oauth.secret_use import BUFFER
from applications.oauth.secret_verification import (
    ExpiredSecret,
    authenticate,
    authenticate_by_secret,
)
from applications.oauth.secrets import id_of, is_well_formed
from applications.validators import is_name
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.db.outage import best_effort
from runai_access.security.throttles import network_of

WRONG = "unknown client, wrong secret, or disabled"
EXPIRED = "expired secret"
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
    reason = WRONG
    try:
        application = authenticate(client_id, secret, network_of(origin.address))
    except ExpiredSecret:
        application, reason = None, EXPIRED
    if application and known_as is not None:
        is_right = known_as in (str(application.id), application.name)
        application = application if is_right else None
    # An invalid client ID could be a secret in the wrong field, so it is not logged.
    name = client_id if is_name(client_id) else "(not a client ID)"
    return _noted(application, name, origin, reason)


def recognize_by_secret(secret: str, origin: Origin) -> Application | None:
    """Authenticate a client that sends nothing but its secret, and count the use of the secret.

    Only failures are audited, with the public ID of the secret; it is not a login. Raises TooMany and
    Busy as `authenticate` does.
    """
    reason = WRONG
    try:
        application = authenticate_by_secret(secret, network_of(origin.address))
    except ExpiredSecret:
        application, reason = None, EXPIRED
    is_secret = is_well_formed(secret)
    name = name_by_secret(id_of(secret)) if is_secret else "(not a client secret)"
    return _noted(application, name, origin, reason)


def name_by_secret(id_: str) -> str:
    """Return the name in the audit log of a client of which only the ID of its secret is known."""
    return f"client secret {id_}".rstrip()


def _noted(
    application: Application | None, name: str, origin: Origin, reason: str
) -> Application | None:
    """Count the use of the application's secret, or audit the failure of the client `name`.

    Returns None, audited, if the application can't be used from the address.
    """
    if application is not None and not is_usable_from(application, origin):
        return None
    if application is not None:
        BUFFER.note(application.used_secret.id, origin)
    else:
        record_once_a_minute(
            "sign-in",
            Entity("application", name=name),
            actor=Actor("anonymous", name, origin=origin),
            succeeded=False,
            reason=reason,
        )
    return application
