"""The layout of the code: no import cycles, not even among imports for type checkers.

import-linter enforces the layers of `pyproject.toml`; between modules of one layer it allows cycles.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("runai_access", "accessrules", "applications", "bench")

Imports = Mapping[str, set[str]]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports of the product and the benchmarks, also local ones and those for type checkers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT), *sys.path])
        return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)


def _cycle(imports: Imports) -> list[str]:
    """Return the names of one cycle, the first again at the end; an empty list if there is none."""
    finished: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in finished:
            return []
        for imported in sorted(imports[name]):
            if found := search(imported, [*path, name]):
                return found
        finished.add(name)
        return []

    return next((found for name in sorted(imports) if (found := search(name, []))), [])


def _between(graph: grimp.ImportGraph, packages: Iterable[str]) -> Imports:
    """Return the imports between these packages, each with all its modules."""
    package_of = {
        module: package
        for package in packages
        for module in {package, *graph.find_descendants(package)}
    }
    imports: dict[str, set[str]] = {package: set() for package in packages}
    for module, package in package_of.items():
        for imported in graph.find_modules_directly_imported_by(module):
            other = package_of.get(imported, package)
            if other != package:
                imports[package].add(other)
    return imports


def test_modules_have_no_import_cycle(graph: grimp.ImportGraph) -> None:
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    cycle = _cycle(imports)
    assert not cycle, " -> ".join(cycle)


def test_subpackages_have_no_import_cycle(graph: grimp.ImportGraph) -> None:
    """Top-level packages are exempt: `runai_access` has the layers below and above the apps."""
    for parent in sorted(graph.modules):
        cycle = _cycle(_between(graph, graph.find_children(parent)))
        assert not cycle, " -> ".join(cycle)


def test_cycle_is_reported_with_its_path() -> None:
    imports = {"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}, "e": {"a"}}
    assert _cycle(imports) == ["b", "d", "b"]
    assert _cycle({**imports, "d": set()}) == []
