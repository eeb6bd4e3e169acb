"""Finds what the body of a request for new access rules names."""

from datetime import datetime
from functools import cache, partial
from typing import Any

from accessrules.actions.rules import NewRule
from accessrules.actions.subjects import find_subject
from accessrules.authorization.authority import Authority
from accessrules.models import Role, Scope, Subject
from runai_access.errors import NotFound

# `app` and `service-account` are the same type. Responses use `app`, which every client knows.
SUBJECT_TYPES = {
    "user": Subject.Type.USER,
    "app": Subject.Type.APP,
    "service-account": Subject.Type.APP,
    "group": Subject.Type.GROUP,
}


class NewRuleReader:
    """Reads the rules of one request, which end at `expires_at`.

    Each subject, role and scope is read only once.
    """

    def __init__(self, authority: Authority, expires_at: datetime | None) -> None:
        self._expires_at = expires_at
        self._subject, self._role = cache(_find_subject), cache(_find_role)
        self._scope = cache(partial(_find_scope, authority))

    def __call__(self, data: dict[str, Any]) -> NewRule:
        """Return the rule that `data` describes. Raises NotFound, with the field name."""
        return NewRule(
            self._subject(data["subjectType"], data["subjectId"]),
            self._role(data["roleId"]),
            self._scope(data["scopeType"], data["scopeId"]),
            self._expires_at,
        )


def _find_subject(type_: str, name_or_id: str) -> Subject:
    try:
        return find_subject(SUBJECT_TYPES[type_], name_or_id)
    except NotFound as error:
        raise NotFound(f"subjectId: {error}") from None


def _find_role(role_id: int) -> Role:
    role = Role.objects.filter(pk=role_id).first()
    if role is None:
        raise NotFound(f"roleId: there is no role {role_id}.")
    return role


def _find_scope(authority: Authority, type_: str, uid: str) -> Scope:
    """Return a scope that the caller is allowed to name."""
    scope = authority.nameable_scopes().filter(type=type_, uid=uid).first()
    if scope is None:
        raise NotFound(f"scopeId: there is no {Scope.Type(type_).label.lower()} {uid!r}.")
    return scope
