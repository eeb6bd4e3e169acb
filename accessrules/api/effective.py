"""Effective access: the permissions of a subject, and the subjects with access to a scope.

Each entry names its access rule. The official API has no such endpoints; the names follow its style.
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
    get_scope_with_readable_rules,
    get_visible_subject,
    sees_all_access,
    sees_all_subjects,
)
from accessrules.authorization.grants import ACTIONS
from accessrules.authorization.scope_access import AccessFilter, SubjectsWithAccess, access_of
from runai_access.api.fields import Choice, Text
from runai_access.api.paging import MAX_OFFSET

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class ScopeAccessParameters(serializers.Serializer):  # type: ignore[type-arg]  # no model instance behind it
    """The query parameters of scope access. `limit` counts pairs of a subject and a rule."""

    resourceType = Choice(choices=[*RESOURCE_TYPES, *ALIASES], required=False)
    action = Choice(choices=list(ACTIONS.values()), required=False)
    search = Text(required=False, max_length=255)
    limit = serializers.IntegerField(
        required=False, default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT
    )
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=MAX_OFFSET)

    @property
    def access_filter(self) -> AccessFilter:
        """The filters, with the canonical name of the resource type."""
        given = self.validated_data
        resource_type = given.get("resourceType", "")
        return AccessFilter(
            action=given.get("action", ""),
            resource_type=ALIASES.get(resource_type, resource_type),
            name=given.get("search", ""),
        )


class EffectiveAccessView(CallerView):
    """The effective permissions of an application, user or group."""

    tag = "Effective access"

    @extend_schema(responses=EffectiveAccessSerializer)
    def get(self, request: Request, subject_id: str) -> Response:
        """List the effective access of a subject.

        The subject is an application, user or group. Each entry names the access rule that grants
        it.
        """
        authority = self.caller.authority
        subject = get_visible_subject(authority, subject_id)
        members = {
            "complete": sees_all_access(subject, authority),
            "access": effective_access(subject, authority),
        }
        return Response(EffectiveAccessSerializer.represent(members))


class ScopeAccessView(CallerView):
    """The subjects with access to a scope, and their permissions there."""

    tag = "Effective access"
    query_parameters = [ScopeAccessParameters]

    @extend_schema(responses=ScopeAccessSerializer)
    def get(self, request: Request, scope_type: str, uid: str) -> Response:
        """List the access to a scope.

        Lists the subjects with access, and what they can do. Includes access inherited from parent
        scopes. Each entry names the access rule that grants it.
        """
        authority = self.caller.authority
        scope = get_scope_with_readable_rules(authority, type=scope_type, uid=uid)
        parameters = ScopeAccessParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        subjects = SubjectsWithAccess(scope, authority, parameters.access_filter)
        offset = parameters.validated_data["offset"]
        limit = parameters.validated_data["limit"]
        rows = subjects.some(offset, limit)
        total, end = subjects.count(), offset + len(rows)
        members = {
            "complete": sees_all_subjects(authority),
            "totalRecords": total,
            "access": access_of(rows, parameters.access_filter),
            "next": end if rows and end < total else None,
        }
        return Response(ScopeAccessSerializer.represent(members))
