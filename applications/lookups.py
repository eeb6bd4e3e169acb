"""The two look-ups behind every token and every API call, written in SQL.

They are the hottest questions of the product, and the ORM takes six times as long to build them as
the database takes to answer. What they return is an Application with its subject; fields that are
not selected load when asked for.
"""

from typing import Any

from django.db import connection, models

from accessrules.models import Subject
from applications.models import Application

_SELECT = """
    SELECT application.subject_id, application.secret_hash, application.credential_id,
           application.last_login, application.token_lifetime,
           subject.name AS subject_name, subject.enabled AS subject_enabled
    FROM applications_application application
    JOIN accessrules_subject subject ON subject.id = application.subject_id
    WHERE subject.type = 'app' AND subject.retired_at IS NULL
"""
_BY_CLIENT_ID = f"{_SELECT} AND subject.name = %s"
_BY_CREDENTIAL = f"""{_SELECT}
    AND subject.enabled AND application.subject_id = %s AND application.credential_id = %s
    AND NOT EXISTS (SELECT 1 FROM applications_revokedtoken revoked WHERE revoked.jti = %s)
"""  # noqa: S608  (made of constants; what is asked for goes in as parameters)
_UUID = models.UUIDField()


def by_client_id(client_id: str) -> Application | None:
    """Return the living application of that client ID, enabled or not."""
    return _first(_BY_CLIENT_ID, client_id)


def by_credential(*, application_id: Any, credential_id: Any, jti: Any) -> Application | None:
    """Return the enabled application for which this credential and this token still hold.

    Raises ValidationError for what is no UUID.
    """
    return _first(
        _BY_CREDENTIAL,
        *(
            _UUID.get_db_prep_value(value, connection)
            for value in (application_id, credential_id, jti)
        ),
    )


def _first(sql: str, *parameters: Any) -> Application | None:
    for application in Application.objects.raw(sql, parameters):
        selected = vars(application)
        application.subject = Subject.from_db(
            connection.alias,
            ["id", "type", "name", "enabled"],
            [
                application.pk,
                Subject.Type.APP,
                selected["subject_name"],
                bool(selected["subject_enabled"]),
            ],
        )
        return application
    return None
