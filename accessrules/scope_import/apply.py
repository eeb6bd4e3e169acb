"""Bringing the tree to what a file says: all of it or nothing, many scopes with few statements.

The same is asked, of the same places, and recorded as if scopes were made, renamed, moved and
deleted one by one with `actions.scopes`: what is new first, then what moves, then what goes.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator

from django.db import transaction
from django.utils import timezone

from accessrules.actions.rules import lock_administration
from accessrules.actions.scopes import entity_of
from accessrules.authorization.callers import Caller
from accessrules.models import LABEL_DIGITS, AccessRule, Scope
from accessrules.scope_import.plan import TYPES, Node, Plan, lay_out
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
    """Return what importing would change. Raises Faults with everything that is wrong.

    Scopes that the file does not name stay as they are; with `remove` they are to go, which is
    refused while rules name them.
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
    """Make the tree what a file says; `show` is called with the plan before anything is changed.

    Raises Faults, and Denied where a single step would.
    """
    lock_administration()
    plan = plan_import(contents, remove=remove)
    _lock(node.now.pk for node in plan.removed)
    if plan.removed:  # a rule may have come before the lock did
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
    """Ask for every step what `actions.scopes` asks for it, of the tree as it stands."""
    authority = caller.refresh_authority().authority
    for node in {(node.type, node.above): node for node in plan.created}.values():
        authority.require("create", node.type, node.above.now)
    for node in plan.renamed:
        authority.require("update", node.type, node.now)
    for node in {(node.now.parent_id, node.above): node for node in plan.moved}.values():
        source = node.now.parent
        assert source is not None  # noqa: S101  # the account is never among them
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
    for node in plan.nodes:  # from the clusters down: the path above is the new one already
        scope = node.now
        path = node.above.now.path + scope.path[-LABEL_DIGITS:]
        if id(node) in changed:
            updated.append(scope)
        elif path != scope.path and scope.pk is not None:
            shifted.append(scope)
        scope.name, scope.path = node.name, path
    for type_ in TYPES:
        made = [node.now for node in plan.created if node.type == type_]
        Scope.objects.bulk_create(made, batch_size=BATCH_SIZE)
    for node in (*plan.renamed, *plan.moved):
        node.now.parent = node.above.now
        node.now.updated_at = timezone.now()
    fields = ["name", "parent", "path", "updated_at"]
    Scope.objects.bulk_update(updated, fields, batch_size=BATCH_SIZE // len(fields))
    Scope.objects.bulk_update(shifted, ["path"], batch_size=BATCH_SIZE)
    _remove(plan.removed)


def _free_names(plan: Plan) -> None:
    """Take aside the names that scopes give up and others take, so that two can change theirs."""
    coming = (*plan.created, *plan.renamed, *plan.moved)
    wanted = {(node.above.now.pk, node.name) for node in coming}
    leaving = (*plan.renamed, *plan.moved, *plan.removed)
    in_the_way = [n.now for n in leaving if (n.now.parent_id, n.now.name) in wanted]
    for scope in in_the_way:
        scope.name = uuid.uuid4().hex
    Scope.objects.bulk_update(in_the_way, ["name"], batch_size=BATCH_SIZE)


def _remove(nodes: list[Node]) -> None:
    for type_ in reversed(TYPES):
        for pks in _some([node.now.pk for node in nodes if node.type == type_]):
            # What is left of rules are rows of deleted ones; the record keeps their story.
            AccessRule.objects.filter(scope__in=pks).delete()
            Scope.objects.filter(pk__in=pks).delete()


def _lock(pks: Iterable[int]) -> None:
    for some in _some(sorted(pks)):
        list(Scope.objects.select_for_update().filter(pk__in=some).order_by("pk").values("pk"))


def _some(pks: list[int]) -> Iterator[list[int]]:
    return (pks[start : start + BATCH_SIZE] for start in range(0, len(pks), BATCH_SIZE))
