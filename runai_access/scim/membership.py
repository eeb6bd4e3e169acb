"""Changes of the members of a group in SCIM requests.

They are read apart from the other attributes, because a large group must not be loaded to add a user.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from scim2_models import InvalidPathException, InvalidValueException, PatchOp, PatchOperation, Path
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
)

from runai_access.scim.resources import Group, Member

_REMOVE = PatchOperation.Op.remove
_REPLACE = PatchOperation.Op.replace_


@dataclass
class MemberChanges:
    """The users to add and to remove. With `is_replaced`, all other users are removed, too."""

    added: set[UUID] = field(default_factory=set)
    removed: set[UUID] = field(default_factory=set)
    is_replaced: bool = False

    def add(self, users: set[UUID]) -> None:
        self.added |= users
        self.removed -= users

    def remove(self, users: set[UUID]) -> None:
        self.removed |= users
        self.added -= users

    def replace(self, users: set[UUID]) -> None:
        self.added, self.removed, self.is_replaced = set(users), set(), True


def members_of(group: Group) -> MemberChanges:
    """Return the changes that a whole group asks for; none if it does not contain members."""
    changes = MemberChanges()
    if "members" in group.model_fields_set:
        changes.replace({_user_id(member.value) for member in group.members or ()})
    return changes


def split(patch: PatchOp[Group]) -> tuple[list[PatchOperation[Group]], MemberChanges]:
    """Return the operations on other attributes, and the changes of members."""
    others: list[PatchOperation[Group]] = []
    changes = MemberChanges()
    for operation in patch.operations or ():
        if operation.path is None and isinstance(operation.value, dict):
            other, members = _without_members(operation)
            others.append(other)
            for value in members:
                _apply(changes, operation.op, _listed(value))
        elif operation.path is not None and _targets_members(operation.path):
            _apply(changes, operation.op, _concerned(operation.op, operation.path, operation.value))
        else:
            others.append(operation)
    return others, changes


def _without_members(
    operation: PatchOperation[Group],
) -> tuple[PatchOperation[Group], list[Any]]:
    """Return an operation without its members, and its members."""
    value: dict[str, Any] = operation.value or {}
    others = {name: one for name, one in value.items() if not _names_members(name)}
    members = [one for name, one in value.items() if _names_members(name)]
    return operation.model_copy(update={"value": others}), members


def _names_members(path: str) -> bool:
    return path.rpartition(":")[2].lower() == "members"


def _targets_members(path: Path[Group]) -> bool:
    """Return whether a path is that of members. Raises InvalidPathException for parts of members."""
    binding = path.resolve()
    if binding is None or binding.field_name != "members":
        return False
    if binding.sub_field_name is not None:
        raise InvalidPathException(detail="Only whole members can be changed.")
    return True


def _apply(changes: MemberChanges, op: PatchOperation.Op, users: set[UUID] | None) -> None:
    if users is None or op == _REPLACE:
        changes.replace(users or set())
    elif op == _REMOVE:
        changes.remove(users)
    else:
        changes.add(users)


def _concerned(op: PatchOperation.Op, path: Path[Group], value: Any) -> set[UUID] | None:
    """Return the users that an operation on members concerns; None to remove all."""
    if path.value_filter is not None:
        if op != _REMOVE:
            raise InvalidPathException(detail="Members with a filter can only be removed.")
        return set(_filtered(path.value_filter))
    return None if op == _REMOVE and value is None else _listed(value)


def _filtered(node: FilterNode) -> Iterator[UUID]:
    """Yield the users of a filter such as `value eq "2819c223"`."""
    match node:
        case Comparison(op=CompareOperator.eq, value=value) if str(node.attr_path) == "value":
            yield _user_id(value)
        case LogicalExpr(op=LogicalOperator.or_, terms=terms):
            for term in terms:
                yield from _filtered(term)
        case _:
            raise InvalidPathException(detail='Members are selected by [value eq "ID"].')


def _listed(value: Any) -> set[UUID]:
    """Return the users of a list of members, or of one member."""
    members = value if isinstance(value, list) else [] if value is None else [value]
    return {_user_id(_value_of(member)) for member in members}


def _value_of(member: Any) -> Any:
    if isinstance(member, Member):
        return member.value
    return member.get("value") if isinstance(member, dict) else member


def _user_id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise InvalidValueException(detail="A member is a user, by its ID.") from None
