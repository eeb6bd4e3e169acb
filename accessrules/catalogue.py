"""What the wire contract fixes: resource types and predefined roles, read from `data/`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class ResourceType:
    """A kind of thing that permissions speak of. `since` is the contract version that added it."""

    name: str
    group: str
    since: str


@dataclass(frozen=True)
class PredefinedRole:
    """A role that every installation has, with its real id."""

    id: int
    name: str
    description: str
    assignable: bool
    permissions: dict[str, str]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_DATA / name).read_text(encoding="utf-8"))


def _predefined_role(entry: dict[str, Any]) -> PredefinedRole:
    permissions = {
        resource_type: letters
        for letters, resource_types in entry["permissions"].items()
        for resource_type in resource_types
    }
    return PredefinedRole(**{**entry, "permissions": permissions})


RESOURCE_TYPES = {key: ResourceType(*value) for key, value in _read("resource_types.toml").items()}
PREDEFINED_ROLES = [_predefined_role(entry) for entry in _read("roles.toml")["roles"]]
# Two names of one type: 2.24 renamed applications to service accounts.
ALIASES = {"service-account": "apps"}
SYSTEM_ADMINISTRATOR_ID = 1
PREDEFINED_BY = "Run:ai"
