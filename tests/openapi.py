"""Reads our OpenAPI document, which is long."""

from functools import cache
from typing import Any

import yaml

from runai_access.api.fields import TEXT
from tests.servers import ROOT

COMMITTED = ROOT / "docs" / "openapi.yaml"

# libyaml reads it ten times as fast; PyYAML has it on all common platforms.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str | bytes) -> Any:
    """Return what a YAML text contains."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # both are safe loaders


@cache
def document() -> dict[str, Any]:
    """Return the committed document, which nobody changes."""
    found: dict[str, Any] = read_yaml(COMMITTED.read_text(encoding="utf-8"))
    return found


def without_nul_patterns(part: Any) -> Any:
    """Return a part of the document without the patterns that exclude NUL.

    Generating text without NUL from a pattern takes ten times as long as excluding one character.
    """
    if isinstance(part, dict):
        kept = {name: without_nul_patterns(value) for name, value in part.items()}
        if kept.get("pattern") == TEXT["pattern"]:
            del kept["pattern"]
        return kept
    return [without_nul_patterns(value) for value in part] if isinstance(part, list) else part
