"""Migration operations that do not block a running installation, forward and back.

A migration that uses them must set `atomic = False`.
"""

from typing import Any

from django.db.migrations import AddIndex, RemoveIndex
from django.db.models import Index


class AddIndexWithoutBlocking(AddIndex):
    """Create an index while others write."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            model = to_state.apps.get_model(app_label, self.model_name)
            _add(schema_editor, model, self.index)
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            _remove(schema_editor, self.index.name)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveIndexWithoutBlocking(RemoveIndex):
    """Drop an index while others read and write."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            _remove(schema_editor, self.name)
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            model = to_state.apps.get_model(app_label, self.model_name)
            state = to_state.models[app_label, self.model_name_lower]
            _add(schema_editor, model, state.get_index_by_name(self.name))
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def _add(schema_editor: Any, model: Any, index: Index) -> None:
    """Create an index. An interrupted attempt leaves an invalid one, which the next one replaces."""
    _remove(schema_editor, index.name)
    schema_editor.add_index(model, index, concurrently=True)


def _remove(schema_editor: Any, name: str) -> None:
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
