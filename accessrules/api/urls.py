"""URLs of the authorization and organization endpoints."""

from django.urls import URLPattern, path

from accessrules.api.batches import RulesBatchCreateView, RulesBatchView
from accessrules.api.effective import EffectiveAccessView, ScopeAccessView
from accessrules.api.me import (
    MyAccessRulesCountView,
    MyAccessRulesView,
    PermissionsView,
    PermittedScopesView,
)
from accessrules.api.organization import (
    CLUSTERS,
    DEPARTMENTS,
    PROJECTS,
    Level,
    ScopesCountView,
    ScopesView,
    ScopeView,
)
from accessrules.api.roles import RolesView, RoleView
from accessrules.api.rules import AccessRulesCountView, AccessRulesView, AccessRuleView


def _level(prefix: str, level: Level) -> list[URLPattern]:
    name = level.scope_type.value
    return [
        path(prefix, ScopesView.as_view(level=level), name=f"{name}s"),
        path(f"{prefix}/count", ScopesCountView.as_view(level=level), name=f"{name}s-count"),
        path(f"{prefix}/<str:uid>", ScopeView.as_view(level=level), name=name),
    ]


app_name = "accessrules-api"
urlpatterns = [
    path("authorization/access-rules", AccessRulesView.as_view(), name="rules"),
    path("authorization/access-rules/count", AccessRulesCountView.as_view(), name="rules-count"),
    path("authorization/access-rules/batch", RulesBatchView.as_view(), name="rules-batch"),
    path(
        "authorization/access-rules/batch-create",
        RulesBatchCreateView.as_view(),
        name="rules-batch-create",
    ),
    path("authorization/access-rules/<str:rule_id>", AccessRuleView.as_view(), name="rule"),
    path("authorization/permissions", PermissionsView.as_view(), name="permissions"),
    path("authorization/permitted-scopes", PermittedScopesView.as_view(), name="permitted-scopes"),
    path("authorization/me/access-rules", MyAccessRulesView.as_view(), name="my-rules"),
    path(
        "authorization/me/access-rules/count",
        MyAccessRulesCountView.as_view(),
        name="my-rules-count",
    ),
    path(
        "authorization/effective-access/<str:subject_id>",
        EffectiveAccessView.as_view(),
        name="effective-access",
    ),
    path(
        "authorization/scope-access/<str:scope_type>/<str:uid>",
        ScopeAccessView.as_view(),
        name="scope-access",
    ),
    path("authorization/roles", RolesView.as_view(), name="roles"),
    path("authorization/roles/<str:role_id>", RoleView.as_view(), name="role"),
    *_level("clusters", CLUSTERS),
    *_level("org-unit/departments", DEPARTMENTS),
    *_level("org-unit/projects", PROJECTS),
]
