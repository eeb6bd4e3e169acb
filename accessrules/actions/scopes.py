"""What can be done with scopes. Each type of scope is a resource type of its own.

The tree is changed by one at a time: every action holds the account's lock, so that nobody builds
below a scope that is moved or deleted at that moment.
"""

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr
from django.db.models.lookups import Exact
from django.utils import timezone

from accessrules.actions.rules import lock_administration, lock_scope, taken
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import Caller
from accessrules.models import LABEL_DIGITS, AccessRule, Scope, at_or_below
from accessrules.validators import check_name
from runai_access.audit.recorder import Entity, record
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import normalized
from runai_access.errors import Conflict


@transaction.atomic
def create_scope(*, caller: Caller, parent: Scope, name: str) -> Scope:
    """Create the one kind of scope that may stand below `parent`.

    Every rule at or above `parent` holds in it at once. Raises Denied, NotFound, ValidationError
    for a bad name, Conflict for a taken one and below a project.
    """
    name = check_name(name)
    parent = _locked(parent)
    if parent.type not in Scope.CHILD_TYPE:
        raise Conflict(f"Nothing can stand below {parent.label}.", field="parent")
    scope = Scope.below(parent, name=name, created_by=caller.name)
    caller.refresh_authority().authority.require("create", scope.type, parent)
    _save(scope)
    _record(caller, "create", scope, name=[None, name], parent=[None, parent.label])
    return scope


@transaction.atomic
def rename_scope(*, caller: Caller, scope: Scope, name: str) -> Scope:
    """Give a scope another name; nothing else changes.

    Raises Denied, NotFound, ValidationError for a bad name, Conflict for a taken one.
    """
    name = check_name(name)
    scope = _locked(scope)
    _require_not_fixed(scope)
    caller.refresh_authority().authority.require("update", scope.type, scope)
    before, scope.name = scope.name, name
    _save(scope, "name")
    _record(caller, "update", scope, name=[before, name])
    return scope


@transaction.atomic
def move_scope(*, caller: Caller, scope: Scope, target: Scope) -> Scope:
    """Move a scope with everything below it to stand below `target`.

    The rules above its old place stop to hold in it, those above its new place begin to; its own
    and those below stay. So it takes update and access-rule delete at the old place, and at the new
    one create and every grant that it newly inherits. Raises Denied, NotFound, Conflict.
    """
    scope, target = _locked(scope), _locked(target)
    require_can_move(caller.refresh_authority().authority, scope, target)
    source = _parent(scope)
    old_path = scope.path
    scope.parent, scope.path = target, target.path + old_path[-LABEL_DIGITS:]
    _save(scope, "parent")
    Scope.objects.filter(at_or_below([old_path])).update(
        path=Concat(Value(scope.path), Substr("path", len(old_path) + 1))
    )
    _record(caller, "update", scope, parent=[source.label, target.label])
    return Scope.objects.get(pk=scope.pk)


def require_can_move(authority: Authority, scope: Scope, target: Scope) -> None:
    """Raise Conflict where `scope` can't be moved below `target`, Denied where the caller may not."""
    _require_not_fixed(scope)
    source = _parent(scope)
    if Scope.CHILD_TYPE.get(Scope.Type(target.type)) != scope.type:
        raise Conflict(f"{scope.label} can't stand below {target.label}.", field="target")
    if target.pk == source.pk:
        raise Conflict(f"{scope.label} stands below {target.label} already.", field="target")
    authority.require_can_move(scope, source=source, target=target)


@transaction.atomic
def delete_scope(*, caller: Caller, scope: Scope) -> None:
    """Delete an empty scope: refused while something stands below it or a rule names it.

    The rows of rules that were deleted in it go too; the audit record keeps their story. Raises
    Denied, NotFound, Conflict.
    """
    scope = _locked(scope)
    _require_not_fixed(scope)
    caller.refresh_authority().authority.require("delete", scope.type, scope)
    if scope.children.exists():
        raise Conflict(f"{scope.label} has scopes below it; move or delete them first.")
    rules = AccessRule.objects.filter(scope=scope)
    if rules.living().exists():
        raise Conflict(f"{scope.label} has access rules in it; delete them first.")
    entity = entity_of(scope)
    rules.delete()
    scope.delete()
    record("delete", entity, actor=caller.actor, changes={"name": [scope.name, None]})


def _locked(scope: Scope) -> Scope:
    lock_administration()
    return lock_scope(scope)


def _parent(scope: Scope) -> Scope:
    assert scope.parent is not None  # noqa: S101  # only system has none, and it is fixed
    return scope.parent


def _require_not_fixed(scope: Scope) -> None:
    if scope.type in (Scope.Type.SYSTEM, Scope.Type.TENANT):
        raise Conflict(f"{scope.label} belongs to the installation; its settings name it.")


def _save(scope: Scope, *fields: str) -> None:
    """Write a new scope, or `fields` of one."""
    scope.updated_at = timezone.now()
    _require_free_name(scope)
    try:
        with transaction.atomic():
            if fields:
                scope.save(update_fields=[*fields, "updated_at"])
            else:
                scope.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            taken(scope.name, by=scope.name, where=_parent(scope).label), field="name"
        ) from error


def _require_free_name(scope: Scope) -> None:
    """Raise Conflict where the name of another scope below the same parent compares equal."""
    others = Scope.objects.filter(parent=_parent(scope)).exclude(pk=scope.pk)
    same = others.filter(Exact(normalized("name"), normalize(scope.name))).first()
    if same is not None:
        message = taken(scope.name, by=same.name, where=_parent(scope).label)
        raise Conflict(message, field="name")


def _record(caller: Caller, action: str, scope: Scope, **changes: list[object]) -> None:
    record(action, entity_of(scope), actor=caller.actor, changes=changes)


def entity_of(scope: Scope) -> Entity:
    """Return a scope as the record names it."""
    return Entity(scope.type, str(scope.uid), scope.label)
