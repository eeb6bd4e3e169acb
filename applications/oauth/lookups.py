"""The queries behind each token and API call, in SQL.

These are the most frequent queries. Building them with the ORM is ten times slower than running them.
They return an Application with its subject and `used_secret`; other fields are deferred.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

from accessrules.models import Subject
from applications.models import Application, ClientSecret
from runai_access.db.cursors import fetch_row

M = TypeVar("M", bound=models.Model)
_SELECT = """
SELECT application.subject_id, application.credential_id, application.last_login,
application.token_lifetime, application.allowed_addresses, subject.name, subject.enabled,
secret.id, secret.secret_hash, secret.expires_at
FROM applications_application application
JOIN accessrules_subject subject ON subject.id = application.subject_id
JOIN applications_clientsecret secret ON secret.application_id = application.subject_id
WHERE subject.type = 'app' AND subject.retired_at IS NULL AND secret.revoked_at IS NULL"""
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
_parsed_uuid = lru_cache(maxsize=10_000)(UUID)  # parsing takes longer than looking up


def get_application_by_client_id(client_id: str, secret_id: str) -> Application | None:
    """Return the application with this client ID, enabled or not, and this unrevoked secret.

    Without `secret_id`, the secret is the one of the old format.
    """
    return _first(_BY_CLIENT_ID_AND_SECRET[secret_id != ""], client_id, secret_id)


def get_application_by_secret_id(secret_id: str) -> Application | None:
    """Return the application, enabled or not, of the unrevoked secret with this ID."""
    return _first(_BY_SECRET_ID, secret_id)


def get_application_by_credential(
    *, application_id: Any, credential_id: Any, secret_id: Any, jti: Any
) -> Application | None:
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


def _first(sql: str, *parameters: Any) -> Application | None:
    row = fetch_row(sql, parameters)
    if row is None:
        return None
    (
        id_, credential_id, last_login, token_lifetime, allowed_addresses, name, enabled, secret_id,
        secret_hash, expires_at,
    ) = row  # fmt: skip
    id_ = _uuid(id_)
    subject = _instance(
        Subject, id=id_, type=Subject.Type.APP, name=name, enabled=bool(enabled), retired_at=None
    )
    application = _instance(
        Application,
        subject_id=id_,
        credential_id=_uuid(credential_id),
        last_login=_aware(last_login),
        token_lifetime=token_lifetime,
        allowed_addresses=allowed_addresses,
        used_secret=_instance(
            ClientSecret,
            id=secret_id,
            application_id=id_,
            secret_hash=secret_hash,
            expires_at=_aware(expires_at),
            revoked_at=None,
        ),
    )
    application._state.fields_cache = {"subject": subject}  # noqa: SLF001  # as the ORM does
    return application


def _instance(model: type[M], **values: Any) -> M:
    """Return a model instance, as `from_db` does, but faster: it skips the deferred fields."""
    instance = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    instance.__dict__.update(values, _state=state)
    return instance


def _uuid(value: UUID | str) -> UUID:
    return _parsed_uuid(value) if isinstance(value, str) else value  # SQLite has no UUID type


def _aware(value: datetime | None) -> datetime | None:
    return value and value.replace(tzinfo=UTC)  # SQLite stores no time zone; all times are UTC
