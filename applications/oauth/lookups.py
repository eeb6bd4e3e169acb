"""The queries behind each token and API call, in SQL.

These are the most frequent queries. Building them with the ORM is ten times slower than running them.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState
from django.utils import timezone

from accessrules.models import Subject
from applications.models import Application
from runai_access.db.cursors import fetch_row

M = TypeVar("M", bound=models.Model)
_COLUMNS = (
    "application.subject_id", "application.credential_id", "application.last_login",
    "application.token_lifetime", "application.allowed_addresses", "subject.name", "subject.enabled",
    "secret.id", "secret.secret_hash", "secret.expires_at",
)  # fmt: skip
# COALESCE hides the types of the columns, for each of which `sqlite3` would look up a converter.
_SELECT = f"""
SELECT {", ".join(f"COALESCE({column}, NULL)" for column in _COLUMNS)}
FROM applications_application application
JOIN accessrules_subject subject ON subject.id = application.subject_id
JOIN applications_clientsecret secret ON secret.application_id = application.subject_id
WHERE subject.type = 'app' AND subject.retired_at IS NULL AND secret.revoked_at IS NULL"""  # noqa: S608  (of constants)
_BY_CLIENT_ID = f"{_SELECT} AND subject.name = %s"
_BY_SECRET_ID = f"{_SELECT} AND secret.id = %s"
_BY_CREDENTIAL = f"""{_SELECT}
AND subject.enabled AND application.subject_id = %s AND application.credential_id = %s
AND NOT EXISTS (SELECT 1 FROM applications_revokedtoken revoked WHERE revoked.jti = %s)"""  # noqa: S608  (built from constants; values are parameters)
_SECRET = {True: " AND secret.id = %s", False: " AND secret.has_old_format AND %s = ''"}
# Whether the secret has an ID decides on the statement.
_BY_CLIENT_ID_AND_SECRET = {has_id: _BY_CLIENT_ID + sql for has_id, sql in _SECRET.items()}
_BY_CREDENTIAL_AND_SECRET = {has_id: _BY_CREDENTIAL + sql for has_id, sql in _SECRET.items()}
_UUID = models.UUIDField()


class UsedSecret(NamedTuple):
    """The unrevoked client secret that a client has used."""

    id: str
    secret_hash: str
    expires_at: datetime | None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class FoundApplication(NamedTuple):
    """An application with the secret that its client has used.

    Creating model instances takes longer than the query, so only callers that need one create it.
    """

    id: UUID
    credential_id: UUID
    last_login: datetime | None
    token_lifetime: int | None
    allowed_addresses: str
    client_id: str
    enabled: bool
    used_secret: UsedSecret

    def as_model(self) -> Application:
        """Return the application with its subject; fields that are not here are deferred."""
        subject = _instance(
            Subject, id=self.id, type=Subject.Type.APP, name=self.client_id, enabled=self.enabled,
            retired_at=None,
        )  # fmt: skip
        application = _instance(
            Application, subject_id=self.id, credential_id=self.credential_id,
            last_login=self.last_login, token_lifetime=self.token_lifetime,
            allowed_addresses=self.allowed_addresses,
        )  # fmt: skip
        application._state.fields_cache = {"subject": subject}  # noqa: SLF001  # as the ORM does
        return application


def get_application_by_client_id(client_id: str, secret_id: str) -> FoundApplication | None:
    """Return the application with this client ID, enabled or not, and this unrevoked secret.

    Without `secret_id`, the secret is the one of the old format.
    """
    return _first(_BY_CLIENT_ID_AND_SECRET[secret_id != ""], client_id, secret_id)


def get_application_by_secret_id(secret_id: str) -> FoundApplication | None:
    """Return the application, enabled or not, of the unrevoked secret with this ID."""
    return _first(_BY_SECRET_ID, secret_id)


def get_application_by_credential(
    *, application_id: Any, credential_id: Any, secret_id: Any, jti: Any
) -> FoundApplication | None:
    """Return the enabled application with this credential and live secret, if the token is unrevoked.

    IDs that are malformed match nothing. For `secret_id`, see `get_application_by_client_id`.
    """
    if not isinstance(secret_id, str) or "\x00" in secret_id:
        return None
    try:
        ids = [
            _UUID.get_db_prep_value(value, connection)
            for value in (application_id, credential_id, jti)
        ]
    except ValidationError:
        return None
    application = _first(_BY_CREDENTIAL_AND_SECRET[secret_id != ""], *ids, secret_id)
    return application if application and not application.used_secret.is_expired else None


def _first(sql: str, *parameters: Any) -> FoundApplication | None:
    row = fetch_row(sql, parameters)
    if row is None:
        return None
    (
        id_, credential_id, last_login, token_lifetime, allowed_addresses, client_id, enabled,
        secret_id, secret_hash, expires_at,
    ) = row  # fmt: skip
    return FoundApplication(
        _uuid(id_), _uuid(credential_id), _time(last_login), token_lifetime, allowed_addresses,
        client_id, bool(enabled), UsedSecret(secret_id, secret_hash, _time(expires_at)),
    )  # fmt: skip


def _instance(model: type[M], **values: Any) -> M:
    """Return a model instance, as `from_db` does, but faster: it skips the deferred fields."""
    instance = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    instance.__dict__.update(values, _state=state)
    return instance


def _uuid(value: UUID | str) -> UUID:
    return _parsed_uuid(value) if isinstance(value, str) else value  # SQLite has no UUID type


_parsed_uuid = lru_cache(maxsize=10_000)(UUID)  # parsing takes longer than looking up


def _time(value: datetime | str | None) -> datetime | None:
    # SQLite has no type for times either, and stores no time zone; all times are UTC.
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value
