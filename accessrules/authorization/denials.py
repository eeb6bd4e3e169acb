"""Audit events of denied requests."""

from django.http import HttpRequest

from accessrules.authorization.callers import caller_of
from runai_access.audit.recorder import Entity, record_once_a_minute
from runai_access.errors import Denied

_ACTIONS = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def record_denial(request: HttpRequest, denied: Denied) -> None:
    """Audit that this request was denied, and why."""
    record_once_a_minute(
        _ACTIONS.get(request.method or "", "read"),
        Entity("request", name=request.path),
        actor=caller_of(request).actor,
        succeeded=False,
        reason=str(denied),
    )
