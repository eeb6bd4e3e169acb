"""Policies for resources that belong to the account: applications, users and groups.

Every action requires its permission on the account. Read permission in a narrower scope makes only
some of them visible.
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
    """The policy of one resource type. The primary key of its `rows` is their subject's id."""

    resource_type: str
    rows: Callable[[], Rows]

    def is_allowed(self, caller: Caller, action: str) -> bool:
        """Return whether the caller can perform `action` on them."""
        return caller.authority.allows(action, self.resource_type, ACCOUNT)

    def require(self, caller: Caller, action: str) -> None:
        """Raise Denied unless the caller can perform `action` on them."""
        caller.authority.require(action, self.resource_type, ACCOUNT)

    def require_anywhere(self, caller: Caller, action: str) -> None:
        """Raise Denied unless the caller can do this in some scope. Check this first."""
        caller.authority.require_anywhere(action, self.resource_type)

    def sees_all(self, authority: Authority) -> bool:
        """Return whether all rows are visible."""
        return authority.allows("read", self.resource_type, ACCOUNT)

    def visible_rows(self, authority: Authority) -> Rows:
        """Return the visible rows: none without read permission."""
        if not authority.allows_anywhere("read", self.resource_type):
            return self.rows().none()
        return self.rows().filter(authority.visible_q(self.resource_type))

    def visible(self, caller: Caller) -> Rows:
        """Return the rows visible to the caller. Raises Denied without read permission."""
        self.require_anywhere(caller, "read")
        return self.visible_rows(caller.authority)

    def visible_one(self, caller: Caller, id_: str | UUID) -> Any:
        """Return a visible row. Raises NotFound for any other id, also a malformed one."""
        try:
            return self.visible(caller).get(pk=UUID(str(id_)))
        except (ValueError, ObjectDoesNotExist):
            raise NotFound("Resource id not found.") from None

    def one_for(self, caller: Caller, action: str, id_: str | UUID) -> Any:
        """Return the row to perform `action` on.

        Raises, in this order: Denied if the caller can't do this in any scope, NotFound if the row is
        not visible, Denied if it is visible (contract/README.md, 401, 403, 404).
        """
        self.require_anywhere(caller, action)
        found = self.visible_one(caller, id_)
        self.require(caller, action)
        return found
