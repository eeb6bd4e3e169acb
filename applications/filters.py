"""The filters of the Applications table: which kind of thing each column holds."""

from accessrules.filters import people_in_sight
from accessrules.holder_filters import (
    CreatorKind,
    HeldRoleKind,
    HeldScopeKind,
    NoRulesKind,
    StatusKind,
)
from runai_access.ui.filters import ListFilterSet, TextKind, TimeKind


class ApplicationFilterSet(ListFilterSet):
    """What applications may be filtered by."""

    kinds = {
        "application": TextKind("subject__name"),
        "client_id": TextKind("subject__name"),
        "access_rules": NoRulesKind(),
        "role": HeldRoleKind(),
        "scope": HeldScopeKind(),
        "status": StatusKind(),
        "last_login": TimeKind("last_login", may_be_never=True),
        "created_by": CreatorKind("creator", suggest=people_in_sight),
        "creation_time": TimeKind("created_at"),
        "last_updated": TimeKind("updated_at"),
    }
    titles = {
        "application": "Application",
        "client_id": "Client ID",
        "access_rules": "Access rule(s)",
        "role": "Role",
        "scope": "Scope",
        "status": "Status",
        "last_login": "Last login",
        "created_by": "Created by",
        "creation_time": "Creation time",
        "last_updated": "Last updated",
    }
