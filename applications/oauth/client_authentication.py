"""Client authentication: verifies credentials, updates the last login, and audits the outcome."""

from django.utils import timezone

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
_MAX_AUDITED = 20_000
# The minute of the last audited login, by secret and address. Most clients request several tokens a
# minute.
_audited: dict[tuple[str, str | None], int] = {}


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
    if application is not None:
        _note_login(application, origin)
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
    if application is None:
        # An invalid client ID could be a secret in the wrong field, so it is not logged.
        name = client_id if is_name(client_id) else "(not a client ID)"
        _audit_refusal(name, origin, reason)
        return None
    return _counted(application, origin)


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
    if application is None:
        is_secret = is_well_formed(secret)
        name = name_by_secret(id_of(secret)) if is_secret else "(not a client secret)"
        _audit_refusal(name, origin, reason)
        return None
    return _counted(application, origin)


def name_by_secret(id_: str) -> str:
    """Return the name in the audit log of a client of which only the ID of its secret is known."""
    return f"client secret {id_}".rstrip()


def _counted(application: Application, origin: Origin) -> Application | None:
    """Count the use of the secret, and return the application.

    Returns None, audited, if the application can't be used from the address.
    """
    if not is_usable_from(application, origin):
        return None
    BUFFER.note(application.used_secret.id, origin)
    return application


def _audit_refusal(name: str, origin: Origin, reason: str) -> None:
    """Audit the failure of the client `name`."""
    record_once_a_minute(
        "sign-in",
        Entity("application", name=name),
        actor=Actor("anonymous", name, origin=origin),
        succeeded=False,
        reason=reason,
    )


def _note_login(application: Application, origin: Origin) -> None:
    """Update the last login, once a second, and audit the login, once a minute.

    A client with a cached secret keeps working while the database is read-only or full.
    """
    now = timezone.now()
    with best_effort():
        application.note_login(now)
    minute = int(now.timestamp()) // 60
    login = application.used_secret.id, origin.address
    if _audited.get(login) == minute:
        return
    id_, name = application.id, application.name
    with best_effort():
        is_committed = record_once_a_minute(
            "sign-in",
            Entity("application", str(id_), name),
            actor=Actor(Subject.Type.APP, name, id_, origin),
            succeeded=True,
        )
        if is_committed:
            if len(_audited) >= _MAX_AUDITED:
                _audited.clear()
            _audited[login] = minute
