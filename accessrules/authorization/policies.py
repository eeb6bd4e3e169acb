"""Who may do what with the things that belong to the account: applications, people, groups.

The decision module's answers in the words of one kind of thing. They belong to the account, so every
action asks for its permission there; who reads them in a narrower scope sees some of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from accessrules.authorization.authority import ACCOUNT, Authority
from accessrules.authorization.callers import Caller
from runai_access.errors import NotFound

Rows = TypeVar("Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Policy(Generic[Rows]):
    """The answers for one resource type, whose `rows` are found by their subject's id."""

    resource_type: str
    rows: Callable[[], Rows]

    def is_allowed(self, caller: Caller, action: str) -> bool:
        """Return whether the caller may create, update or delete them."""
        return caller.authority.allows(action, self.resource_type, ACCOUNT)

    def require(self, caller: Caller, action: str) -> None:
        """Raise Denied unless the caller may."""
        caller.authority.require(action, self.resource_type, ACCOUNT)

    def require_anywhere(self, caller: Caller, action: str) -> None:
        """Raise Denied where the caller may do this to none at all: asked first of all."""
        caller.authority.require_anywhere(action, self.resource_type)

    def sees_all(self, authority: Authority) -> bool:
        """Return whether none of them is out of sight."""
        return authority.allows("read", self.resource_type, ACCOUNT)

    def visible_rows(self, authority: Authority) -> Rows:
        """Return those in sight: none where none at all may be read."""
        if not authority.allows_anywhere("read", self.resource_type):
            return self.rows().none()
        return self.rows().filter(authority.visible_q(self.resource_type))

    def visible(self, caller: Caller) -> Rows:
        """Return those in the caller's sight; raise Denied where it may read none at all."""
        self.require_anywhere(caller, "read")
        return self.visible_rows(caller.authority)

    def visible_one(self, caller: Caller, id_: str | UUID) -> Any:
        """Return one in sight; raise NotFound for any other id, whatever its form."""
        try:
            return self.visible(caller).get(pk=UUID(str(id_)))
        except (ValueError, ObjectDoesNotExist):
            raise NotFound("Resource id not found.") from None

    def one_for(self, caller: Caller, action: str, id_: str | UUID) -> Any:
        """Return the one to do `action` on.

        Raises Denied where the caller may do it to none, NotFound out of sight, and Denied in sight
        but not allowed, in this order (contract/README.md, 401, 403, 404).
        """
        self.require_anywhere(caller, action)
        found = self.visible_one(caller, id_)
        self.require(caller, action)
        return found
