"""Client authentication: verifies credentials, updates the last login, and audits the outcome."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accessrules.models import Subject
from applications.addresses import is_allowed
from applications.models import Application
from applications.oauth.lookups import FoundApplication
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

WRONG = "unknown client, wrong secret, or disabled"
EXPIRED = "expired secret"
# The reason in the audit log, which the page of the application finds refusals by.
WRONG_ADDRESS = "address not allowed"
_SECOND = timedelta(seconds=1)
_MAX_AUDITED = 20_000
# The minute of the last audited login, by secret and address. Most clients request several tokens a
# minute.
_audited: dict[tuple[str, str | None], int] = {}


def is_usable_from(application: Application | FoundApplication, origin: Origin) -> bool:
    """Return whether the application can be used from the address of a request; audit if not."""
    if is_allowed(application.allowed_addresses, origin.address):
        return True
    id_, name = application.id, application.client_id
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
) -> FoundApplication | None:
    """Authenticate a client that requests a token; return its application, or None.

    `known_as` is a second identifier that some clients send: the application's ID or its name.
    Raises TooMany and Busy as `authenticate` does.
    """
    return recognize(client_id, secret, origin, known_as=known_as, is_login=True)


def recognize(
    client_id: str,
    secret: str,
    origin: Origin,
    *,
    known_as: str | None = None,
    is_login: bool = False,
) -> FoundApplication | None:
    """Authenticate a client, and count the use of its secret; return its application, or None.

    If the client requests no token, it is not a login, and only failures are audited.
    """
    reason = WRONG
    try:
        application = authenticate(client_id, secret, origin.address)
    except ExpiredSecret:
        application, reason = None, EXPIRED
    if application and known_as is not None:
        is_right = known_as in (str(application.id), application.client_id)
        application = application if is_right else None
    if application is None:
        # An invalid client ID could be a secret in the wrong field, so it is not logged.
        name = client_id if is_name(client_id) else "(not a client ID)"
        _audit_refusal(name, origin, reason)
        return None
    return _counted(application, origin, is_login=is_login)


def recognize_by_secret(secret: str, origin: Origin) -> FoundApplication | None:
    """Authenticate a client that sends nothing but its secret, and count the use of the secret.

    Only failures are audited, with the public ID of the secret; it is not a login. Raises TooMany and
    Busy as `authenticate` does.
    """
    reason = WRONG
    try:
        application = authenticate_by_secret(secret, origin.address)
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


def _counted(
    application: FoundApplication, origin: Origin, *, is_login: bool = False
) -> FoundApplication | None:
    """Count the use of the secret, note a login, and return the application.

    Returns None, audited, if the application can't be used from the address.
    """
    if not is_usable_from(application, origin):
        return None
    now = timezone.now()
    BUFFER.note(application.used_secret.id, origin, now)
    if is_login:
        _note_login(application, origin, now)
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


def update_last_login(application: Application | FoundApplication, now: datetime) -> None:
    """Set `last_login` to `now`, in whole seconds: once a second at most, if the database can write."""
    if application.last_login is None or now - application.last_login >= _SECOND:
        now = now.replace(microsecond=0)
        earlier = Q(last_login=None) | Q(last_login__lt=now)
        with best_effort():
            Application.objects.filter(earlier, pk=application.id).update(last_login=now)


def _note_login(application: FoundApplication, origin: Origin, now: datetime) -> None:
    """Update the last login, once a second, and audit the login, once a minute.

    A client with a cached secret keeps working while the database is read-only or full.
    """
    update_last_login(application, now)
    minute = int(now.timestamp()) // 60
    login = application.used_secret.id, origin.address
    if _audited.get(login) == minute:
        return
    id_, name = application.id, application.client_id
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
