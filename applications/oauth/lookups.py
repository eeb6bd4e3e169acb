"""The two look-ups behind every token and every API call, written in SQL.

They are the hottest questions of the product, and the ORM takes ten times as long to build them as
the database takes to answer. What they return is an Application with its subject; fields that are
not selected load when asked for.
"""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState

from accessrules.models import Subject
from applications.models import Application

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
"""  # noqa: S608  (made of constants; what is asked for goes in as parameters)
_UUID = models.UUIDField()


def get_application_by_client_id(client_id: str) -> Application | None:
    """Return the living application of that client ID, enabled or not."""
    return _first(_BY_CLIENT_ID, client_id)


def get_application_by_credential(
    *, application_id: Any, credential_id: Any, jti: Any
) -> Application | None:
    """Return the enabled application for which this credential and this token still hold.

    What is no UUID names nothing.
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
    with _cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    id_, secret_hash, credential_id, last_login, token_lifetime, name, enabled = row
    id_ = _uuid(id_)
    application = _loaded(
        Application,
        subject_id=id_,
        secret_hash=secret_hash,
        credential_id=_uuid(credential_id),
        last_login=_moment(last_login),
        token_lifetime=token_lifetime,
    )
    application._state.fields_cache["subject"] = _loaded(  # noqa: SLF001  # as the ORM does
        Subject, id=id_, type=Subject.Type.APP, name=name, enabled=bool(enabled), retired_at=None
    )
    return application


def _cursor() -> Any:
    # The connection is looked up once: finding this thread's own is not free.
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return database.cursor()
    # As Django's own `cursor`, but of the kind whose statements the server parses and plans once.
    from django.db.backends.postgresql.base import ServerBindingCursor

    database.close_if_health_check_failed()
    database.ensure_connection()
    return database._prepare_cursor(ServerBindingCursor(database.connection))  # type: ignore[call-arg]  # noqa: SLF001


def _loaded(model: type[M], **values: Any) -> M:
    """Return a row as a model, as `from_db` does, but without a look at what was not selected."""
    instance = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    instance.__dict__.update(values, _state=state)
    return instance


def _uuid(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value  # SQLite has no type for it


def _moment(value: datetime | None) -> datetime | None:
    return value and value.replace(tzinfo=UTC)  # SQLite keeps no zone; every time is UTC
