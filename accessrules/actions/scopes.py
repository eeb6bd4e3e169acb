"""Scope actions. Each type of scope is its own resource type.

Every action holds the account's lock, so that changes to the tree are serialized: no scope is created
under one that is being moved or deleted.
"""

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr
from django.db.models.lookups import Exact
from django.utils import timezone

from accessrules.actions.locking import lock_administration, lock_scope
from accessrules.actions.subjects import taken
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
    """Create a child of `parent`; the parent's type determines the type of the child.

    Access rules at or above `parent` apply to it immediately. Raises Denied, NotFound,
    ValidationError for an invalid name, Conflict if the name is taken or `parent` is a project.
    """
    name = check_name(name)
    parent = _locked(parent)
    if parent.type not in Scope.CHILD_TYPE:
        raise Conflict(f"The {parent.label} can't have child scopes.", field="parent")
    scope = Scope.below(parent, name=name, created_by=caller.name)
    caller.refresh_authority().authority.require("create", scope.type, parent)
    _save(scope)
    _record(caller, "create", scope, name=[None, name], parent=[None, parent.label])
    return scope


@transaction.atomic
def rename_scope(*, caller: Caller, scope: Scope, name: str) -> Scope:
    """Rename a scope; nothing else changes.

    Raises Denied, NotFound, ValidationError for an invalid name, Conflict if the name is taken.
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
    """Move a scope and its descendants under `target`.

    It stops inheriting the access rules of its old ancestors and inherits those of its new ones; its
    own rules stay. At the old parent this requires update and access-rule delete; at the new parent
    create, and every grant that the scope newly inherits. Raises Denied, NotFound, Conflict.
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
    """Raise Conflict if `scope` can't be a child of `target`, Denied if the caller can't move it."""
    _require_not_fixed(scope)
    source = _parent(scope)
    if Scope.CHILD_TYPE.get(Scope.Type(target.type)) != scope.type:
        raise Conflict(f"The {scope.label} can't be moved to {target.label}.", field="target")
    if target.pk == source.pk:
        raise Conflict(f"The {scope.label} is already in {target.label}.", field="target")
    authority.require_can_move(scope, source=source, target=target)


@transaction.atomic
def delete_scope(*, caller: Caller, scope: Scope) -> None:
    """Delete a scope that has no child scopes and no access rules.

    Also deletes the rows of its soft-deleted rules; the audit log keeps their history. Raises Denied,
    NotFound, Conflict.
    """
    scope = _locked(scope)
    _require_not_fixed(scope)
    caller.refresh_authority().authority.require("delete", scope.type, scope)
    if scope.children.exists():
        raise Conflict(f"The {scope.label} has child scopes. Move or delete them first.")
    rules = AccessRule.objects.filter(scope=scope)
    if rules.living().exists():
        raise Conflict(f"The {scope.label} has access rules. Delete them first.")
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
        raise Conflict(
            f"The {scope.label} can't be changed: it is set in the installation's settings."
        )


def _save(scope: Scope, *fields: str) -> None:
    """Insert a new scope, or update `fields` of an existing one."""
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
    """Raise Conflict if a sibling has an equal name."""
    others = Scope.objects.filter(parent=_parent(scope)).exclude(pk=scope.pk)
    same = others.filter(Exact(normalized("name"), normalize(scope.name))).first()
    if same is not None:
        message = taken(scope.name, by=same.name, where=_parent(scope).label)
        raise Conflict(message, field="name")


def _record(caller: Caller, action: str, scope: Scope, **changes: list[object]) -> None:
    record(action, entity_of(scope), actor=caller.actor, changes=changes)


def entity_of(scope: Scope) -> Entity:
    """Return the scope as an audit log entity."""
    return Entity(scope.type, str(scope.uid), scope.label)
