"""The session engine: Django's database sessions with an idle timeout and a list per user.

A session ends SESSION_COOKIE_AGE after sign-in, however much it is used, and SESSION_IDLE_SECONDS after
its last request.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils import timezone

from runai_access.accounts import policy
from runai_access.accounts.devices import describe_device
from runai_access.accounts.models import User, UserSession
from runai_access.audit.recorder import Origin
from runai_access.db.availability import is_unavailable
from runai_access.errors import Conflict

# The description of a session. Its data has it too, because a new key of the session means a new row.
_DETAILS = "user_session"
AUTHENTICATED_AT = "authenticated_at"
# The identity provider of the sign-in: its issuer, and the ID token for the sign-out there.
_PROVIDER = "provider"
# Whether the user of the session has proved a second factor, or set one up.
_SECOND_FACTOR = "second_factor"
# Whether a passkey was enough for the sign-in.
_WITHOUT_PASSWORD = "without_password"  # noqa: S105  # a key of the session


class SessionStore(DatabaseStore):
    """A session that ends when it is idle. Its name is part of the signature of session data."""

    user_session: UserSession | None = None

    def _get_session_from_db(self) -> Session | None:
        try:
            found = Session.objects.select_related("user_session").get(
                session_key=self.session_key, expire_date__gt=timezone.now()
            )
        except (Session.DoesNotExist, SuspiciousOperation):
            self._session_key = None
            return None
        row: UserSession | None = getattr(found, "user_session", None)
        if row is not None and row.last_seen <= UserSession.objects.idle_since():
            self._session_key = None
            return None
        self.user_session = row
        return found

    @transaction.atomic
    def cycle_key(self) -> None:
        """Give the session a new key. Raises Conflict if it was ended since the request began.

        Django would store it again under the new key.
        """
        self.keys()  # reads the session, which forgets an unknown key
        rows = Session.objects.select_for_update().filter(pk=self.session_key)
        if self.session_key and not rows.first():
            raise Conflict("Your session has ended. Sign in again.")
        super().cycle_key()

    @transaction.atomic
    def save(self, must_create: bool = False) -> None:
        super().save(must_create)
        if SESSION_KEY in self and _DETAILS in self:
            self.user_session = _row_of(self, self[SESSION_KEY], self[_DETAILS])
            UserSession.objects.store(self.user_session)


def on_sign_in(*, request: HttpRequest, **_: Any) -> None:
    """Start the lifetime of a session, and describe it for the list."""
    now = timezone.now()
    request.session[_DETAILS] = _details_of(request, now)
    request.session[AUTHENTICATED_AT] = now.timestamp()
    request.session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def confirm_session(request: HttpRequest, at: datetime | None = None) -> None:
    """Note that the user proved again who they are, `at` or now. The session gets a new key."""
    request.session.cycle_key()
    request.session[AUTHENTICATED_AT] = _earlier(at, timezone.now()).timestamp()


def note_provider(
    request: HttpRequest, issuer: str, id_token: str, authenticated_at: datetime | None
) -> None:
    """Note that the user of a new session signed in with an identity provider.

    Without the time of authentication there, the session counts as old: the provider might have let
    the user pass without asking, so dangerous actions ask.
    """
    at = authenticated_at or datetime.fromtimestamp(0, UTC)
    request.session[_PROVIDER] = {"issuer": issuer, "id_token": id_token}
    request.session[AUTHENTICATED_AT] = _earlier(at, timezone.now()).timestamp()


def provider_of(request: HttpRequest) -> dict[str, str] | None:
    """Return the `issuer` and the `id_token` of the session; None after a local sign-in."""
    found: dict[str, str] | None = request.session.get(_PROVIDER)
    return found


def must_choose_password(request: HttpRequest) -> bool:
    """Return whether the user of the session must first replace a temporary password.

    Users of an identity provider or of a passkey did not use it, and need not know it.
    """
    user = request.user
    if not isinstance(user, User) or not user.must_choose_password:
        return False
    return provider_of(request) is None and not request.session.get(_WITHOUT_PASSWORD)


def note_second_factor(request: HttpRequest, *, proved: bool = True) -> None:
    """Note that the user of the session proved a second factor, or removed their last one."""
    request.session[_SECOND_FACTOR] = proved


def note_passwordless(request: HttpRequest) -> None:
    """Note that the user of a new session signed in with a passkey alone."""
    request.session[_WITHOUT_PASSWORD] = True


def must_enroll(request: HttpRequest) -> bool:
    """Return whether the user of the session must first set up a second factor.

    Those who have one were asked for it at the sign-in. Users of an identity provider have its factors.
    """
    user = request.user
    if not isinstance(user, User) or request.session.get(_SECOND_FACTOR):
        return False
    return provider_of(request) is None and policy.requires_second_factor(user)


def note_use(request: HttpRequest, user: User) -> None:
    """Store that the session is in use, at most once in SESSION_PRECISION_SECONDS.

    Also sets the user's `authenticated_at`. The request does not fail if the database refuses the
    write.
    """
    store: Any = request.session
    seconds = store.get(AUTHENTICATED_AT, 0)
    user.authenticated_at = datetime.fromtimestamp(seconds, UTC)
    row: UserSession | None = store.user_session
    now = timezone.now()
    if row and now - row.last_seen < timedelta(seconds=settings.SESSION_PRECISION_SECONDS):
        return
    try:
        with transaction.atomic():
            if row:
                UserSession.objects.filter(pk=row.pk).update(last_seen=now)
            else:  # a session of version 0.1.0
                row = _row_of(store, user.pk, _details_of(request, now))
                UserSession.objects.store(row)
    except DatabaseError as error:
        if not is_unavailable(error):
            raise


def _earlier(time: datetime | None, now: datetime) -> datetime:
    return min(time, now) if time else now


def _details_of(request: HttpRequest, now: datetime) -> dict[str, Any]:
    origin: Origin = getattr(request, "origin", Origin())
    return {
        "address": origin.address,
        "device": describe_device(request.META.get("HTTP_USER_AGENT", "")),
        "started_at": now.timestamp(),
    }


def _row_of(store: Any, user_id: Any, details: dict[str, Any]) -> UserSession:
    return UserSession(
        session_id=store.session_key,
        user_id=user_id,
        address=details["address"],
        device=details["device"],
        started_at=datetime.fromtimestamp(details["started_at"], UTC),
        last_seen=timezone.now(),
    )
