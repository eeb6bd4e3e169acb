"""Values of an event in the API that are computed from its columns.

The texts of indexed ones are part of the SQL: SQLite does not use an index of an expression with
parameters.
"""

from typing import Any

from django.conf import settings
from django.db.models import Case, Expression, Func, TextField, Value, When
from django.db.models.functions import Coalesce, Concat


class SubjectType(Func):
    """The type of the subject: `SubjectType("subject_type")`."""

    template = "CASE %(expressions)s WHEN 'app' THEN 'App' ELSE 'User' END"
    output_field = TextField()


class _NotEmpty(Func):
    template = "NULLIF(%(expressions)s, '')"
    output_field = TextField()


class _MethodOfAction(Func):
    template = (
        "CASE %(expressions)s WHEN 'update' THEN 'PATCH'"
        " WHEN 'delete' THEN 'DELETE' ELSE 'POST' END"
    )
    output_field = TextField()


class HttpMethod(Coalesce):
    """The method of the request, or that of the same action in the API."""

    def __init__(self) -> None:
        super().__init__(_NotEmpty("http_method"), _MethodOfAction("action"))


class _PublicURL(Expression):
    """The URL of the installation, read from the settings for each query instead of on import."""

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str, ...]]:
        return "%s", (settings.PUBLIC_URL,)


RESPONSE_VALUES = {
    "response_type": SubjectType("subject_type"),
    "response_method": HttpMethod(),
    "response_url": Case(
        When(path="", then=Value("")),
        default=Concat(_PublicURL(), "path"),
        output_field=TextField(),
    ),
}
"""Annotations of events: clients can filter by what they read."""
