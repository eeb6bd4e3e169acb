"""Imports require the permissions of each single change, and run one at a time."""

from functools import partial

import pytest

from accessrules.actions import scopes as scope_actions
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, Scope
from accessrules.scope_import.apply import import_scopes
from accessrules.scope_import.plan import Plan
from accessrules.scope_import.readers import Contents
from accessrules.scope_import.rows import Entry, Place
from runai_access.audit.models import AuditEvent
from runai_access.errors import Denied
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together

TYPES = {"department": Scope.Type.DEPARTMENT, "project": Scope.Type.PROJECT}


def contents_of(type_: str, name: str, parent: str, id_: str = "") -> Contents:
    return Contents([Entry(Place(1), TYPES[type_], name, id_, parent)])


def import_file(caller: Caller, contents: Contents, *, remove: bool = False) -> Plan:
    return import_scopes(caller=caller, contents=contents, remove=remove, show=lambda plan: None)


def holding(organization: Organization, **held: dict[str, str]) -> Caller:
    """Return a caller with these permissions in these scopes."""
    pam = factories.person("pam@acme.example")
    for name, permissions in held.items():
        role = factories.custom_role(f"Pam in {name}", **permissions)
        factories.rule(pam, role.name, organization[name])
    return factories.caller(pam)


REFUSED = {
    "“Create projects” permission in department sales": contents_of("project", "new", "sales"),
    "“Create departments” permission in cluster alpha": contents_of("department", "new", "alpha"),
    "“Create projects” permission in department new": Contents(
        [
            Entry(Place(1), TYPES["department"], "new", "", "beta"),
            Entry(Place(2), TYPES["project"], "below", "", "new"),
        ]
    ),
}


@pytest.mark.parametrize("missing", REFUSED)
def test_creating_requires_create_in_the_parent(acme: Organization, missing: str) -> None:
    caller = holding(acme, research={"project": "c"}, beta={"department": "c"})
    with pytest.raises(Denied, match=missing):
        import_file(caller, REFUSED[missing])
    assert not Scope.objects.filter(name="new").exists()
    assert not AuditEvent.objects.exists()
    import_file(caller, contents_of("project", "audio", "research"))
    assert AuditEvent.objects.get().subject_name == "pam@acme.example"


def test_renaming_and_removing_require_update_and_delete(acme: Organization) -> None:
    renamed = contents_of("project", "sight", "research", acme["vision"].uid)
    with pytest.raises(Denied, match="“Edit projects” permission in project vision"):
        import_file(holding(acme, account={"project": "crd"}), renamed)
    everything = [
        Entry(Place(1), Scope.Type(scope.type), scope.name, scope.uid, scope.parent.uid)
        for scope in Scope.objects.filter(depth__gt=1).select_related("parent")
        if scope.parent and scope != acme["vision"]
    ]
    viewer = factories.caller(factories.person("vera@acme.example", "Viewer"))
    with pytest.raises(Denied, match="“Delete projects” permission in project vision"):
        import_file(viewer, Contents(everything), remove=True)


def test_moving_requires_every_newly_inherited_grant(acme: Organization) -> None:
    caller = holding(
        acme,
        research={"project": "ru", "access_rules": "d"},
        sales={"project": "c", "access_rules": "c"},
    )
    factories.person("lea@acme.example", "L1 researcher", acme["sales"])
    moved = contents_of("project", "vision", "sales", acme["vision"].uid)
    with pytest.raises(Denied, match="To assign L1 researcher in department sales, you need"):
        import_file(caller, moved)
    AccessRule.objects.filter(subject__name="lea@acme.example").delete()
    import_file(caller, moved)
    assert Scope.objects.get(pk=acme["vision"].pk).parent_id == acme["sales"].pk


@pytest.mark.django_db(transaction=True)
def test_concurrent_equal_imports_create_scopes_once() -> None:
    department = factories.department("d", factories.cluster("east"))
    contents = contents_of("project", "p", department.uid)
    outcomes = together([partial(import_file, SYSTEM, contents) for _ in range(4)])
    assert all(isinstance(outcome, Plan) for outcome in outcomes), outcomes
    assert Scope.objects.filter(parent=department).count() == 1
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_import_during_a_move_has_the_right_path() -> None:
    east, west = factories.cluster("east"), factories.cluster("west")
    for round_ in range(4):
        department = factories.department(f"d{round_}", east)
        outcomes = together(
            [
                partial(scope_actions.move_scope, caller=SYSTEM, scope=department, target=west),
                partial(import_file, SYSTEM, contents_of("project", "inside", department.uid)),
            ]
        )
        assert all(isinstance(outcome, Scope | Plan) for outcome in outcomes), outcomes
        department.refresh_from_db()
        assert Scope.objects.get(parent=department).path.startswith(department.path)
