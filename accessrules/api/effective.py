"""Effective access: what a subject may do, and who may do what in a scope, each with its rule.

The official API has nothing like it; the names follow its own.
"""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.serializers import EffectiveAccessSerializer, ScopeAccessSerializer
from accessrules.api.views import CallerView
from accessrules.authorization.catalog import ALIASES, RESOURCE_TYPES
from accessrules.authorization.effective_access import (
    effective_access,
    get_visible_scope,
    get_visible_subject,
    sees_all_access,
    sees_all_subjects,
)
from accessrules.authorization.grants import ACTIONS
from accessrules.authorization.scope_access import Holders, Question, access_of
from runai_access.api.fields import Choice, Text
from runai_access.api.listing import MAX_OFFSET

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class ScopeAccessQuestion(serializers.Serializer):  # type: ignore[type-arg]  # no model instance behind it
    """The query that narrows who may do what; `limit` counts pairs of a subject and a rule."""

    resourceType = Choice(choices=[*RESOURCE_TYPES, *ALIASES], required=False)
    action = Choice(choices=list(ACTIONS.values()), required=False)
    search = Text(required=False, max_length=255)
    limit = serializers.IntegerField(
        required=False, default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT
    )
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MAX_OFFSET)

    @property
    def question(self) -> Question:
        """What is asked for."""
        asked = self.validated_data
        named = asked.get("resourceType", "")
        return Question(
            action=asked.get("action", ""),
            resource_type=ALIASES.get(named, named),
            name=asked.get("search", ""),
        )


class EffectiveAccessView(CallerView):
    """What an application, a person or a group may do."""

    tag = "Effective access"

    @extend_schema(responses=EffectiveAccessSerializer)
    def get(self, request: Request, subject_id: str) -> Response:
        """List what a subject can do.

        The subject is an application, a user or a group. Each entry names the access rule that
        grants it.
        """
        authority = self.caller.authority
        subject = get_visible_subject(authority, subject_id)
        found = {
            "complete": sees_all_access(subject, authority),
            "access": effective_access(subject, authority),
        }
        return Response(EffectiveAccessSerializer.represent(found))


class ScopeAccessView(CallerView):
    """Who may do what in a scope."""

    tag = "Effective access"
    query_parameters = [ScopeAccessQuestion]

    @extend_schema(responses=ScopeAccessSerializer)
    def get(self, request: Request, scope_type: str, uid: str) -> Response:
        """List who can do what in a scope.

        Rules of the scopes above it count too. Each entry names the access rule that grants it.
        """
        authority = self.caller.authority
        scope = get_visible_scope(authority, type=scope_type, uid=uid)
        asked = ScopeAccessQuestion(data=request.query_params)
        asked.is_valid(raise_exception=True)
        holders = Holders(scope, authority, asked.question)
        offset, limit = asked.validated_data["offset"], asked.validated_data["limit"]
        rows = holders.some(offset, limit)
        total, end = holders.count(), offset + len(rows)
        found = {
            "complete": sees_all_subjects(authority),
            "totalRecords": total,
            "access": access_of(rows, asked.question),
            "next": end if rows and end < total else None,
        }
        return Response(ScopeAccessSerializer.represent(found))
