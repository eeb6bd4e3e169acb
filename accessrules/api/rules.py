"""/api/v1/authorization/access-rules: list, count, create, read and delete access rules."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.actions.expiry import change_expiry
from accessrules.actions.rules import create_access_rule, delete_access_rule
from accessrules.api.new_rules import SUBJECT_TYPES, NewRuleReader
from accessrules.api.serializers import AccessRuleSerializer, AccessRulesSerializer
from accessrules.api.views import CallerView
from accessrules.authorization.authority import Authority
from accessrules.filters.rules import (
    AccessRuleFilterSet,
    CreatorFilter,
    NoDeletionFilter,
    PathFilter,
    RoleNameFilter,
    RuleReferenceFilter,
    RuleTypeFilter,
    name_sort,
    role_sort,
    scope_sort,
)
from accessrules.filters.search import (
    count_rules,
    count_rules_by,
    deleted_permission_filter,
    deleted_rules,
    permission_filter,
    rules_to_find,
    search,
    visible_groups,
)
from accessrules.models import (
    AccessRule,
    AccessRuleQuerySet,
    Role,
    Scope,
    load_ancestors,
)
from runai_access.api.errors import InvalidParameter
from runai_access.api.fields import TEXT, Body, Choice, Integer, Text
from runai_access.api.filter_by import Field, FieldType, read_time
from runai_access.api.idempotency import Result, idempotent
from runai_access.api.ids import MAX_ID, integer_id
from runai_access.api.paging import ListEndpoint, paged, require_supported
from runai_access.api.parameters import read_flag
from runai_access.api.serializers import CountSerializer
from runai_access.db.expressions import BinaryCollation, InArray
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize_term
from runai_access.errors import NotFound
from runai_access.lists.filters import FieldFilter, NumberFilter, PlainTextFilter
from runai_access.lists.operators import AT_LEAST, CONTAINS, IS, Operator
from runai_access.lists.selection import ListFilter
from runai_access.lists.sorts import Sort, without_index
from runai_access.lists.time_filters import TimeFilter

_FILTERS = AccessRuleFilterSet.field_filters
_OF_ROLE = partial(RuleReferenceFilter, "role", Role)
_OF_SCOPE = partial(RuleReferenceFilter, "scope", Scope)
_DELETED_AT = TimeFilter("deleted_at", can_be_never=True, is_indexed=False)
_NOT_DELETED = NoDeletionFilter("deleted_at", can_be_never=True, is_indexed=False)
_BY_DELETION = Sort.time("deleted_at", is_nullable=True, nulls_last=True)
# Of living rules, a constant: they are read in the order of their keys.
_BY_NO_DELETION = replace(_BY_DELETION, by=Cast(Value(None), DateTimeField()), is_constant=True)
LIST = ListEndpoint(
    fields={
        "subjectId": Field(_FILTERS["subject"], Sort.text("subject_name")),
        "subjectType": Field(
            RuleTypeFilter(), Sort.text("subject_type", is_repeated=True), accepts=SUBJECT_TYPES
        ),
        "roleId": Field(_OF_ROLE(NumberFilter("pk")), role_sort(), FieldType.NUMBER),
        "roleName": Field(_OF_ROLE(RoleNameFilter("name")), name_sort("role", Role)),
        "scopeId": Field(_OF_SCOPE(PlainTextFilter("uid")), scope_sort(F("uid"))),
        # Scopes of a type follow each other by ID: then the number of rules of each finds an offset.
        "scopeType": Field(
            _OF_SCOPE(PlainTextFilter("type")), scope_sort(Concat("type", Value("/"), "uid"))
        ),
        "scopeName": Field(_OF_SCOPE(PlainTextFilter("name")), name_sort("scope", Scope)),
        "createdAt": Field.time("created_at"),
        # NULL in all of these rules.
        "deletedAt": Field(_NOT_DELETED, Sort.number("pk"), FieldType.TIME, is_nullable=True),
        "createdBy": Field(_FILTERS["authorized_by"], Sort.text("created_by", is_repeated=True)),
        "expiresAt": Field.time("expires_at", is_nullable=True),
    },
    search=search,
    permission_filter=permission_filter,
    indexed_rows=rules_to_find,
    sort=Sort.number("pk"),
    default_limit=50,
    max_limit=500,
    unsupported_fields=("phase",),
    has_exact_total=True,
    count_all=count_rules,
    count_groups=count_rules_by,
    visible_groups=visible_groups,
)


def unindexed(field: Field) -> Field:
    """Return the field for a list of some rules, which the database sorts."""
    return replace(field, sort=field.sort and without_index(field.sort))


# The indexes of the filters and sorts have no deleted rules, so the database sorts those.
_DELETED = replace(
    LIST,
    fields={
        **{name: unindexed(field) for name, field in LIST.fields.items()},
        "deletedAt": replace(LIST.fields["deletedAt"], filter=_DELETED_AT, sort=_BY_DELETION),
        "createdBy": Field(CreatorFilter("created_by"), Sort.text("created_by")),
    },
    permission_filter=deleted_permission_filter,
    indexed_rows=deleted_rules,
    count_all=None,
    count_groups=None,
    has_keys=False,
)
_WITH_DELETED = replace(
    LIST,
    fields={**LIST.fields, "deletedAt": replace(LIST.fields["deletedAt"], sort=_BY_NO_DELETION)},
    others=_DELETED,
)

# The contract's parameters of this list, in addition to the common ones.
PARAMETERS = [
    OpenApiParameter("subjectType", str, enum=list(SUBJECT_TYPES)),
    OpenApiParameter("subjectIds", TEXT, description="Comma-separated subject names."),
    OpenApiParameter(
        "subjectIdFilter", TEXT, description="Text that the subject name contains.", deprecated=True
    ),
    OpenApiParameter("scopeType", str, enum=Scope.Type.values, deprecated=True),
    OpenApiParameter("scopeId", TEXT),
    OpenApiParameter(
        "roleId", {"type": "integer", "minimum": 1, "maximum": MAX_ID}, deprecated=True
    ),
    OpenApiParameter("clusterId", UUID, description="Rules in this cluster and its descendants."),
    OpenApiParameter("lastUpdated", datetime, description="Rules updated at or after this time."),
    OpenApiParameter("includeDeleted", bool, default=False),
]


class NewAccessRule(Body):
    """The access rule to create (contract: AccessRuleCreationFields)."""

    subjectId = Text(max_length=255)
    subjectType = Choice(choices=list(SUBJECT_TYPES))
    roleId = Integer()
    scopeId = Text(max_length=64)
    scopeType = Choice(choices=Scope.Type.values)
    expiresAt = serializers.DateTimeField(required=False, allow_null=True)


class AccessRuleChange(Body):
    """The new expiry of an access rule; null means never."""

    expiresAt = serializers.DateTimeField(allow_null=True)


class AccessRulesView(CallerView):
    """The list of access rules, and their creation."""

    tag = "Access rules"
    listing = LIST
    query_parameters = PARAMETERS
    idempotent = ("POST",)
    errors = {"POST": (404, 409)}

    @extend_schema(responses=AccessRulesSerializer)
    def get(self, request: Request) -> Response:
        """List access rules.

        Lists the access rules visible to the caller. Includes deleted ones if `includeDeleted` is
        true.
        """
        authority, parameters = self.caller.authority, request.query_params
        page = _list(parameters).page(
            _visible(authority),
            parameters,
            authority,
            more=_more_filters(authority, parameters),
            complete=lambda rules: rules.select_related("subject", "role", "scope"),
        )
        load_ancestors(rule.scope for rule in page.rows)
        return paged(request, page, AccessRulesSerializer.represent(page))

    @extend_schema(request=NewAccessRule, responses={201: AccessRuleSerializer})
    def post(self, request: Request) -> Response:
        """Create an access rule.

        Grants a user, application or group a role in a scope, until `expiresAt` if it is given. To
        change the role or the scope, delete the access rule and create a new one.
        """
        authority = self.caller.authority
        authority.require_anywhere("create", "access_rules")
        body = NewAccessRule(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data

        def execute() -> Result:
            new = NewRuleReader(authority, data.get("expiresAt"))(data)
            rule = create_access_rule(caller=self.caller, **new._asdict())
            return Result(str(rule.pk), _response(rule, status=201))

        def replay(rule_id: str) -> Response:
            rules = authority.visible_rules().select_related("subject", "role", "scope")
            return _response(rules.get(pk=rule_id), status=201)

        return idempotent(
            request, request.data, caller=self.caller_id, execute=execute, replay=replay
        )


class AccessRulesCountView(CallerView):
    """The number of access rules."""

    tag = "Access rules"
    listing = LIST
    query_parameters = PARAMETERS
    counts = True

    @extend_schema(responses=CountSerializer)
    def get(self, request: Request) -> Response:
        """Count access rules.

        Counts the access rules that match the parameters.
        """
        authority, parameters = self.caller.authority, request.query_params
        rules, more = _visible(authority), _more_filters(authority, parameters)
        count = _list(parameters).count(rules, parameters, authority, more)
        return Response(CountSerializer.represent({"count": count}))


class AccessRuleView(CallerView):
    """An access rule."""

    tag = "Access rules"
    errors = {"DELETE": (409,), "PATCH": (409,)}

    @extend_schema(responses=AccessRuleSerializer)
    def get(self, request: Request, rule_id: str) -> Response:
        """Get an access rule.

        Responds with 404 if the access rule is deleted or not visible to the caller.
        """
        authority = self.caller.authority
        authority.require_anywhere("read", "access_rules")
        rules = authority.visible_rules().living().select_related("subject", "role", "scope")
        rule = rules.filter(pk=integer_id(rule_id)).first()
        if rule is None:
            raise NotFound("There is no such access rule.")
        return _response(rule)

    @extend_schema(request=AccessRuleChange, responses=AccessRuleSerializer)
    def patch(self, request: Request, rule_id: str) -> Response:
        """Change the expiry of an access rule.

        `expiresAt` null means never. Requires the permission to create the access rule.
        """
        self.caller.authority.require_anywhere("create", "access_rules")
        body = AccessRuleChange(data=request.data)
        body.is_valid(raise_exception=True)
        rule = change_expiry(
            caller=self.caller,
            rule_id=integer_id(rule_id),
            expires_at=body.validated_data["expiresAt"],
        )
        return _response(rule)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, rule_id: str) -> Response:
        """Delete an access rule.

        The subject loses the access immediately, unless another rule grants the same access.
        """
        self.caller.authority.require_anywhere("delete", "access_rules")
        delete_access_rule(caller=self.caller, rule_id=integer_id(rule_id))
        return Response(status=204)


def _response(rule: AccessRule, status: int = 200) -> Response:
    load_ancestors([rule.scope])
    return Response(AccessRuleSerializer.represent(rule), status=status)


def _list(parameters: QueryDict) -> ListEndpoint:
    return _WITH_DELETED if read_flag(parameters, "includeDeleted") else LIST


def _visible(authority: Authority) -> AccessRuleQuerySet:
    """Return the visible rules without deleted ones."""
    authority.require_anywhere("read", "access_rules")
    return authority.visible_rules().living()


def _more_filters(authority: Authority, parameters: QueryDict) -> list[ListFilter]:
    """Return the filters for the contract's parameters of this list."""
    require_supported(parameters)
    rows = rules_to_find(authority)
    filters = []
    for name, (filter_, operator, read) in _PARAMETERS.items():
        text = parameters.get(name)
        if text is not None:
            filters.append(filter_.list_filter(operator, [read(text)], authority, rows))
    ids = [name for text in parameters.getlist("subjectIds") for name in text.split(",")]
    if ids:
        names = [normalize_term(name) for name in ids]
        named = Q(InArray(BinaryCollation(F("subject_name")), names))
        filters.append(ListFilter(named, KeySubquery.of(rows.filter(named))))
    return filters


def _paths_of_cluster(uid: str) -> list[str]:
    try:
        UUID(uid)
    except ValueError:
        raise InvalidParameter(f"clusterId must be a UUID, not {uid[:80]!r}.") from None
    clusters = Scope.objects.filter(type=Scope.Type.CLUSTER, uid=uid.lower())
    return [cluster.path for cluster in clusters]


def _positive_integer(name: str, text: str) -> int:
    try:
        number = integer_id(text)
    except NotFound:
        number = 0
    if not number:
        raise InvalidParameter(f"{name} must be a positive integer, not {text[:80]!r}.")
    return number


# The filter of each parameter, its operator, and how its value is read.
_PARAMETERS: dict[str, tuple[FieldFilter, Operator, Callable[[str], Any]]] = {
    "subjectType": (LIST.fields["subjectType"].filter, IS, SUBJECT_TYPES.__getitem__),
    "subjectIdFilter": (LIST.fields["subjectId"].filter, CONTAINS, str),
    "scopeType": (LIST.fields["scopeType"].filter, IS, str),
    "scopeId": (LIST.fields["scopeId"].filter, IS, str),
    "roleId": (LIST.fields["roleId"].filter, IS, partial(_positive_integer, "roleId")),
    "lastUpdated": (_FILTERS["last_updated"], AT_LEAST, partial(read_time, "lastUpdated")),
    "clusterId": (_OF_SCOPE(PathFilter()), IS, _paths_of_cluster),
}
