"""Resource types and predefined roles, read from `accessrules/data/`.

The wire contract fixes both. `data/roles.toml` has the platform's roles,
`data/additional_roles.toml` the roles that this product adds.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class ResourceType:
    """A resource type of permissions. `since` is the contract version that added it."""

    name: str
    group: str
    since: str


@dataclass(frozen=True)
class PredefinedRole:
    """A role that every installation has."""

    id: int
    name: str
    description: str
    assignable: bool
    permissions: dict[str, str]
    created_by: str


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_DATA / name).read_text(encoding="utf-8"))


def _predefined_role(entry: dict[str, Any], created_by: str) -> PredefinedRole:
    permissions = {
        resource_type: letters
        for letters, resource_types in entry["permissions"].items()
        for resource_type in resource_types
    }
    return PredefinedRole(**{**entry, "permissions": permissions, "created_by": created_by})


RESOURCE_TYPES = {key: ResourceType(*value) for key, value in _read("resource_types.toml").items()}
PREDEFINED_ROLES = [
    _predefined_role(entry, created_by)
    for name, created_by in (("roles.toml", "Run:ai"), ("additional_roles.toml", "runai-access"))
    for entry in _read(name)["roles"]
]
# Types that belong to the account as a whole: a permission for one has no effect in a narrower scope.
ACCOUNT_ONLY = frozenset({"events-history"})
# Alternative names: contract 2.24 renamed applications to service accounts.
ALIASES = {"service-account": "apps"}
SYSTEM_ADMINISTRATOR_ID = 1
