"""Tables of lists render cells with `render_*` methods, as django-tables2 does."""

import pytest

from accessrules.console.tables.rules import AccessRuleTable, RoleTable
from accessrules.console.tables.scopes import ScopeTable
from accessrules.models import Role
from applications.tables import ApplicationTable
from runai_access.accounts.tables import GroupTable, UserTable
from runai_access.activity.tables import EventTable
from runai_access.lists.keyset import Count, Page
from runai_access.lists.tables import ListTable

TABLES: list[type[ListTable]] = [
    AccessRuleTable, ApplicationTable, EventTable, GroupTable, RoleTable, ScopeTable, UserTable,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_a_render_method(table: type[ListTable]) -> None:
    missing = [name for name in table.base_columns if not hasattr(table, f"render_{name}")]
    assert missing == []


def test_cells_equal_those_of_django_tables2() -> None:
    role = Role(pk=1, name="Viewer <i>", description="Reads", assignable=True)
    page = Page([role], 1, 1, Count(1, is_exact=True), False, False)
    table = RoleTable(
        page, context=None, columns=["role", "assignable", "description"], sort="role"
    )
    (row,) = table.rows
    fast = [table.render_name_cell(role), *(render(role) for _, render in table.cell_renderers)]
    assert fast == [row.get_cell(name) for name in ("role", "assignable", "description")]
    assert "Viewer &lt;i&gt;" in fast[0]
