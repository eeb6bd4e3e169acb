"""Role pages: the list, one role with its permissions and subjects, and a comparison of two."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import Exact
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.console.tables.role_matrix import COLUMNS, count_exclusive, count_of, matrix
from accessrules.console.tables.rules import RoleTable
from accessrules.filters.rules import RoleFilterSet
from accessrules.filters.search import search_roles
from accessrules.models import Role
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.errors import NotFound
from runai_access.lists.keyset import count_up_to
from runai_access.lists.selection import ListFilter
from runai_access.ui.dialogs import leave_for
from runai_access.ui.list_views import Action, ListView

MAX_SUBJECTS_SHOWN = 20
COMPARE = Action("compare", "COMPARE", "columns-2", for_one=False)


class RolePage(ListView):
    """Access > Roles."""

    namespace = "roles"
    title, noun, plural = "Roles", "role", "roles"
    searched = "names and descriptions"
    empty_template = "accessrules/_no_roles.html"
    table, filters = RoleTable, RoleFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[Role]:
        _authority(request)
        return Role.objects.all()

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search_roles(text, authority)

    def actions(self, request: HttpRequest) -> list[Action]:
        return [COMPARE]


PAGE = RolePage()


@require_safe
def detail(request: HttpRequest, role_id: int) -> HttpResponse:
    """Show the permissions of a role, and its newest access rules."""
    authority = _authority(request)
    role = _role(role_id)
    context: dict[str, Any] = {
        "role": role,
        "count": count_of(role),
        "columns": list(COLUMNS),
        "matrix": matrix(role),
        "others": Role.objects.exclude(pk=role.pk),
        "can_read_rules": authority.allows_anywhere("read", "access_rules"),
    }
    if context["can_read_rules"]:
        context |= _assignments(authority, role)
    return render(request, "accessrules/role.html", context)


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Compare two roles; ask for them until two are chosen."""
    _authority(request)
    known = {str(role.pk): role for role in Role.objects.all()}
    chosen = dict.fromkeys(known[text] for text in request.GET.getlist("role") if text in known)
    first, second = [*chosen, None, None][:2]
    only_differences = request.GET.get("show") == "differences"
    context: dict[str, Any] = {
        "roles": known.values(),
        "places": [("First role", first), ("Second role", second)],
        "only_differences": only_differences,
        "columns": list(COLUMNS),
        "matrix": None,
    }
    if first and second:
        context |= {
            "compared": [first, second],
            "matrix": matrix(first, second, only_differences=only_differences),
            "advantages": [
                {"role": first, "other": second, "count": count_exclusive(first, second)},
                {"role": second, "other": first, "count": count_exclusive(second, first)},
            ],
        }
    return render(request, "accessrules/compare_roles.html", context)


@require_safe
def compare_selected(request: HttpRequest) -> HttpResponse:
    """Redirect from the selected rows to the comparison, which is a page and not a dialog."""
    query = urlencode({"role": PAGE.selected_keys(request)[:2]}, doseq=True)
    url = f"{resolve_url('roles:compare')}?{query}"
    return leave_for(request, url)


def _authority(request: HttpRequest) -> Authority:
    authority = caller_of(request).authority
    authority.require_anywhere("read", "roles")
    return authority


def _role(role_id: int) -> Role:
    role = Role.objects.filter(pk=role_id).first()
    if role is None:
        raise NotFound(f"Role {role_id} not found.")
    return role


def _assignments(authority: Authority, role: Role) -> dict[str, Any]:
    """Return the newest visible rules with the role, and their number."""
    rules = authority.visible_rules().living()
    count = count_up_to(rules.filter(role=role))
    # Few rules: filter by role, then sort. Many rules: scan backward from the newest.
    of_role = rules.filter(
        Q(role=role) if count.is_exact else Q(Exact(SQLiteNoIndexHint(F("role")), role.pk))
    )
    newest = list(of_role.select_related("subject", "scope").order_by("-pk")[:MAX_SUBJECTS_SHOWN])
    names = full_names(rule.scope for rule in newest)
    return {
        "assignments": [{"rule": rule, "full_name": names[rule.scope.path]} for rule in newest],
        "assignment_count": count,
        "sees_all_rules": sees_all_rules(authority),
    }
