"""The two queries behind each token and API call, in SQL.

These are the most frequent queries. Building them with the ORM is ten times slower than running them.
They return an Application with its subject; other fields are deferred.
"""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

from accessrules.models import Subject
from applications.models import Application
from runai_access.db.cursors import prepared_cursor

M = TypeVar("M", bound=models.Model)
_SELECT = """
SELECT application.subject_id, application.secret_hash, application.credential_id,
application.last_login, application.token_lifetime, subject.name, subject.enabled
FROM applications_application application
JOIN accessrules_subject subject ON subject.id = application.subject_id
WHERE subject.type = 'app' AND subject.retired_at IS NULL"""
_BY_CLIENT_ID = f"{_SELECT} AND subject.name = %s"
_BY_CREDENTIAL = f"""{_SELECT}
AND subject.enabled AND application.subject_id = %s AND application.credential_id = %s
AND NOT EXISTS (SELECT 1 FROM applications_revokedtoken revoked WHERE revoked.jti = %s)
"""  # noqa: S608  (built from constants; values are parameters)
_UUID = models.UUIDField()


def get_application_by_client_id(client_id: str) -> Application | None:
    """Return the application with this client ID, enabled or not. Deleted ones are not found."""
    return _first(_BY_CLIENT_ID, client_id)


def get_application_by_credential(
    *, application_id: Any, credential_id: Any, jti: Any
) -> Application | None:
    """Return the enabled application with this credential, unless the token was revoked.

    IDs that are not UUIDs match nothing.
    """
    try:
        ids = [
            _UUID.get_db_prep_value(value, connection)
            for value in (application_id, credential_id, jti)
        ]
    except ValidationError:
        return None
    return _first(_BY_CREDENTIAL, *ids)


def _first(sql: str, *parameters: Any) -> Application | None:
    with prepared_cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    id_, secret_hash, credential_id, last_login, token_lifetime, name, enabled = row
    id_ = _uuid(id_)
    subject = _instance(
        Subject, id=id_, type=Subject.Type.APP, name=name, enabled=bool(enabled), retired_at=None
    )
    application = _instance(
        Application,
        subject_id=id_,
        secret_hash=secret_hash,
        credential_id=_uuid(credential_id),
        last_login=_aware(last_login),
        token_lifetime=token_lifetime,
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
    return UUID(value) if isinstance(value, str) else value  # SQLite has no UUID type


def _aware(value: datetime | None) -> datetime | None:
    return value and value.replace(tzinfo=UTC)  # SQLite stores no time zone; all times are UTC
