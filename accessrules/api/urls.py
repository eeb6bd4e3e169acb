"""Addresses of the authorization and organization endpoints."""

from django.urls import path

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


def _level(prefix: str, level: Level) -> list[object]:
    name = level.type.value
    return [
        path(prefix, ScopesView.as_view(level=level), name=f"{name}s"),
        path(f"{prefix}/count", ScopesCountView.as_view(level=level), name=f"{name}s-count"),
        path(f"{prefix}/<str:uid>", ScopeView.as_view(level=level), name=name),
    ]


app_name = "accessrules-api"
urlpatterns = [
    path("authorization/access-rules", AccessRulesView.as_view(), name="rules"),
    path("authorization/access-rules/count", AccessRulesCountView.as_view(), name="rules-count"),
    path("authorization/access-rules/<str:rule_id>", AccessRuleView.as_view(), name="rule"),
    path("authorization/roles", RolesView.as_view(), name="roles"),
    path("authorization/roles/<str:role_id>", RoleView.as_view(), name="role"),
    *_level("clusters", CLUSTERS),
    *_level("org-unit/departments", DEPARTMENTS),
    *_level("org-unit/projects", PROJECTS),
]
