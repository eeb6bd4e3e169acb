"""Apply a scope file in one transaction, with few SQL statements for many scopes.

Requires the same permissions and writes the same audit events as the single actions in
`actions.scopes`, in this order: create, rename and move, delete.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator

from django.db import transaction
from django.utils import timezone

from accessrules.actions.locking import lock_administration
from accessrules.actions.scopes import entity_of
from accessrules.authorization.callers import Caller
from accessrules.authorization.scope_policy import CREATABLE_TYPES
from accessrules.models import LABEL_DIGITS, AccessRule, Scope
from accessrules.scope_import.plan import Node, Plan, lay_out
from accessrules.scope_import.readers import Contents
from accessrules.scope_import.rows import Fault, Faults
from accessrules.scope_import.validation import (
    BATCH_SIZE,
    LostEntries,
    faults_of_places,
    faults_of_removal,
    without_repeated,
)
from runai_access.audit.recorder import Entity, record_all

Change = tuple[str, Entity, dict[str, list[object]]]


def plan_import(contents: Contents, *, remove: bool = False) -> Plan:
    """Return the changes that an import would make. Raises Faults with all errors of the file.

    Scopes that are not in the file stay. With `remove`, they are removed, which is an error if they
    have access rules.
    """
    faults: list[Fault] = list(contents.faults)
    layout = lay_out(without_repeated(contents.entries, faults))
    faults += LostEntries(layout, contents).faults()
    plan = layout.plan(remove=remove)
    faults += faults_of_places(plan)
    if remove:
        named = {(str(entry.type), entry.id) for entry in contents.entries}
        faults += faults_of_removal(plan, named)
    if faults:
        raise Faults(faults)
    return plan


@transaction.atomic
def import_scopes(
    *,
    caller: Caller,
    contents: Contents,
    remove: bool = False,
    show: Callable[[Plan], None],
) -> Plan:
    """Change the scopes to match a file. Calls `show` with the plan before changing anything.

    Raises Faults, and Denied if the caller can't make one of the changes.
    """
    lock_administration()
    plan = plan_import(contents, remove=remove)
    _lock(node.now.pk for node in plan.removed)
    if plan.removed:  # a rule might have been added before the lock
        plan = plan_import(contents, remove=remove)
    show(plan)
    for node in plan.created:
        node.scope = _new(caller, node)
    _require(caller, plan)
    changes = list(_changes(plan))
    _write(plan)
    record_all(changes, actor=caller.actor)
    return plan


def _new(caller: Caller, node: Node) -> Scope:
    id_ = node.entry.id if node.entry else ""
    return Scope.below(node.above.now, name=node.name, created_by=caller.name, uid=id_)


def _require(caller: Caller, plan: Plan) -> None:
    """Check the permissions of every change, as `actions.scopes` does, before any change."""
    authority = caller.refresh_authority().authority
    for node in {(node.type, node.above): node for node in plan.created}.values():
        authority.require("create", node.type, node.above.now)
    for node in plan.renamed:
        authority.require("update", node.type, node.now)
    for node in {(node.now.parent_id, node.above): node for node in plan.moved}.values():
        source = node.now.parent
        assert source is not None  # noqa: S101  # the account is never moved
        authority.require_can_move(node.now, source=source, target=node.above.now)
    for node in plan.removed:
        authority.require("delete", node.type, node.now)


def _changes(plan: Plan) -> Iterator[Change]:
    for node in plan.created:
        yield (
            "create",
            entity_of(node.now),
            {
                "name": [None, node.name],
                "parent": [None, node.above.label],
            },
        )
    moved = set(map(id, plan.moved))
    renamed = set(map(id, plan.renamed))
    for node in plan.nodes:
        change: dict[str, list[object]] = {}
        if id(node) in renamed:
            change["name"] = [node.now.name, node.name]
        if id(node) in moved and node.now.parent:
            change["parent"] = [node.now.parent.label, node.above.label]
        if change:
            yield "update", Entity(node.type, node.now.uid, node.label), change
    for node in plan.removed:
        yield "delete", entity_of(node.now), {"name": [node.name, None]}


def _write(plan: Plan) -> None:
    _free_names(plan)
    changed = {id(node) for node in (*plan.renamed, *plan.moved)}
    shifted: list[Scope] = []
    updated: list[Scope] = []
    for node in plan.nodes:  # from the clusters down: parents already have their new path
        scope = node.now
        path = node.above.now.path + scope.path[-LABEL_DIGITS:]
        if id(node) in changed:
            updated.append(scope)
        elif path != scope.path and scope.pk is not None:
            shifted.append(scope)
        scope.name, scope.path = node.name, path
    for type_ in CREATABLE_TYPES:
        created = [node.now for node in plan.created if node.type == type_]
        Scope.objects.bulk_create(created, batch_size=BATCH_SIZE)
    for node in (*plan.renamed, *plan.moved):
        node.now.parent = node.above.now
        node.now.updated_at = timezone.now()
    fields = ["name", "parent", "path", "updated_at"]
    Scope.objects.bulk_update(updated, fields, batch_size=BATCH_SIZE // len(fields))
    Scope.objects.bulk_update(shifted, ["path"], batch_size=BATCH_SIZE)
    _remove(plan.removed)


def _free_names(plan: Plan) -> None:
    """Give temporary names to scopes whose name another scope gets, so that names can be swapped."""
    arriving = (*plan.created, *plan.renamed, *plan.moved)
    wanted = {(node.above.now.pk, node.name) for node in arriving}
    leaving = (*plan.renamed, *plan.moved, *plan.removed)
    conflicting = [n.now for n in leaving if (n.now.parent_id, n.now.name) in wanted]
    for scope in conflicting:
        scope.name = uuid.uuid4().hex
    Scope.objects.bulk_update(conflicting, ["name"], batch_size=BATCH_SIZE)


def _remove(nodes: list[Node]) -> None:
    for type_ in reversed(CREATABLE_TYPES):
        for pks in _batches([node.now.pk for node in nodes if node.type == type_]):
            # Only soft-deleted rules are left; the audit log keeps their history.
            AccessRule.objects.filter(scope__in=pks).delete()
            Scope.objects.filter(pk__in=pks).delete()


def _lock(pks: Iterable[int]) -> None:
    for batch in _batches(sorted(pks)):
        list(Scope.objects.select_for_update().filter(pk__in=batch).order_by("pk").values("pk"))


def _batches(pks: list[int]) -> Iterator[list[int]]:
    return (pks[start : start + BATCH_SIZE] for start in range(0, len(pks), BATCH_SIZE))
