"""Migration operations that do not block a running installation.

A migration that uses them must set `atomic = False`.
"""

from typing import Any

from django.db.migrations import AddIndex, RemoveIndex


class AddIndexWithoutBlocking(AddIndex):
    """Create an index while others write.

    An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index, which a repetition replaces.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        schema_editor.add_index(model, self.index, concurrently=True)


class RemoveIndexWithoutBlocking(RemoveIndex):
    """Drop an index while others read and write."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}")
