"""Only one module makes authorization decisions: no other compares roles, permissions or scopes."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("accessrules", "applications", "runai_access")
# The module that decides.
DECIDES = {"accessrules/authorization/authority.py"}
# Names that only a decision needs.
DECIDING = {
    "permissions", "role_id", "roles", "SYSTEM_ADMINISTRATOR_ID", "is_superuser", "is_staff",
    "has_perm", "permissions_of", "ACCOUNT_PATH", "SYSTEM_PATH",
}  # fmt: skip
# Modules that parse, act or render: they only use the answers of the authority module.
OUTER = re.compile(r"/(views|api|forms|tables|filters|templatetags)(/|\.py$)|/serializers\.py$")


NAMES = [
    path.relative_to(ROOT).as_posix()
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts
]
OUTER_NAMES = [name for name in NAMES if OUTER.search(f"/{name}")]


@cache
def source(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def names_in(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)} | {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name)
    }


def conditions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all conditions: tests of if and while, comparisons, and/or, `startswith`."""
    for node in ast.walk(tree):
        match node:
            case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
                yield node.test
            case ast.Compare() | ast.BoolOp():
                yield node
            case ast.comprehension():
                yield from node.ifs
            case ast.Call(func=ast.Attribute(attr="startswith")):
                yield node


def deciding(tree: ast.AST) -> list[str]:
    return [ast.unparse(node) for node in conditions(tree) if names_in(node) & DECIDING]


def test_outer_layers_are_found() -> None:
    assert {
        "applications/views/listing.py",
        "accessrules/api/rules.py",
        "accessrules/console/forms.py",
    } <= (set(OUTER_NAMES))


@pytest.mark.parametrize("name", OUTER_NAMES)
def test_no_view_form_or_serializer_compares_roles_or_permissions(name: str) -> None:
    assert deciding(source(name)) == [], (
        f"{name} makes its own decision; use accessrules.authorization.authority"
    )


@pytest.mark.parametrize(
    "source",
    [
        "if user.is_superuser: pass",
        "x = [r for r in rules if r.role_id == 1]",
        "ok = 'apps' in role.permissions",
        "if scope.path == ACCOUNT_PATH: pass",
        "while not caller.has_perm('x'): pass",
    ],
)
def test_decisions_are_detected(source: str) -> None:
    assert deciding(ast.parse(source))


def test_only_the_authority_module_raises_denied() -> None:
    raised = {
        name
        for name in NAMES
        for node in ast.walk(source(name))
        if isinstance(node, ast.Raise) and node.exc is not None and "Denied" in names_in(node.exc)
    }
    assert raised == DECIDES


def test_no_view_uses_permissions_of_django_or_rest_framework() -> None:
    foreign = {"PermissionDenied", "user_passes_test", "permission_required", "BasePermission"}
    found = {
        name
        for name in NAMES
        for node in ast.walk(source(name))
        if isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & foreign
    }
    # They only convert exceptions of Django and allauth.
    assert found <= {
        "runai_access/errors_views.py",
        "runai_access/api/errors.py",
        "runai_access/accounts/sso/provider.py",
    }


def test_no_template_compares_roles_or_permissions() -> None:
    tag = re.compile(r"\{%\s*(?:if|elif)\s(.*?)%\}", re.DOTALL)
    names = re.compile(
        r"\b(permissions|role_id|perms|is_superuser|is_staff|authority)\b|role\.\w+ =="
    )
    deciding_tags = [
        f"{path.relative_to(ROOT)}: {found[1]}"
        for path in (ROOT / "templates").rglob("*.html")
        for found in tag.finditer(path.read_text(encoding="utf-8"))
        if names.search(found[1])
    ]
    assert deciding_tags == []
