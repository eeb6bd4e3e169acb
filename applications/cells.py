"""The cells of the Applications table."""

from typing import TYPE_CHECKING

from accessrules.cells import first_rules
from applications.models import Application
from runai_access.ui.addresses import dialog_url
from runai_access.ui.cells import named
from runai_access.ui.markup import copy_button, marked, markup

if TYPE_CHECKING:
    from applications.tables import ApplicationTable


def application(record: Application, table: "ApplicationTable") -> str:
    """The name, which opens its page, and its state."""
    return named(record, table, record.name)


def client_id(record: Application, table: "ApplicationTable") -> str:
    """The client ID, to copy."""
    element = f"client-id-{record.pk}"
    return markup(
        '<span class="copyable"><code class="clip" id="{}" title="{}">{}</code>{}</span>',
        element, record.client_id, marked(record.client_id, table.search),
        copy_button(element, f"Copy client ID {record.client_id}"),
    )  # fmt: skip


def access_rules(record: Application, table: "ApplicationTable") -> str:
    """Its first rules, and the way to all of them."""
    link = markup(
        'id="rules-{}" href="{}" hx-boost="true" hx-target="#dialog" hx-swap="innerHTML"'
        ' hx-indicator="#loading"',
        record.pk, dialog_url("applications:access-rules", record.pk, back=table.address),
    )  # fmt: skip
    rules = table.rules_of(record)
    return first_rules(rules, record.name, link, table.search, sees_all=table.sees_all_rules)
