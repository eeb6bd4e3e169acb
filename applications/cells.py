"""The cells of the Applications table."""

from typing import TYPE_CHECKING, Any

from accessrules.cells import first_rules
from runai_access.lists.cells import named
from runai_access.lists.markup import copy_button, marked, markup
from runai_access.ui.dialogs import dialog_url

if TYPE_CHECKING:
    from applications.tables import ApplicationTable


def application(record: Any, table: "ApplicationTable") -> str:
    """The name, which opens its page, and its state."""
    return named(record, table, record.name)


def client_id(record: Any, table: "ApplicationTable") -> str:
    """The client ID, to copy."""
    element, client_id = f"client-id-{record.pk}", record.name
    return markup(
        '<span class="copyable"><code class="clip" id="{}" title="{}">{}</code>{}</span>',
        element, client_id, marked(client_id, table.search),
        copy_button(element, f"Copy client ID {client_id}"),
    )  # fmt: skip


def access_rules(record: Any, table: "ApplicationTable") -> str:
    """Its first rules, and the way to all of them."""
    key = record.pk
    link = markup(
        'id="rules-{}" href="{}" hx-boost="true" hx-target="#dialog" hx-swap="innerHTML"'
        ' hx-indicator="#loading"',
        key, dialog_url("applications:access-rules", key, back=table.address),
    )  # fmt: skip
    rules = table.rules_of(record)
    return first_rules(rules, record.name, link, table.search, sees_all=table.sees_all_rules)
