"""The Applications table."""

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.console.tables.subjects import SubjectTable, by_first_rule, rule_texts
from applications.models import Application, DeletedApplication, DeletedRule, label_texts
from applications.search import can_use_first_rule, has_visible_rules
from runai_access.db.expressions import AsStored, InArray
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.markup import badge, clip, copy_button, marked, markup, moment, muted
from runai_access.lists.sorts import Sort
from runai_access.lists.tables import (
    ListColumn,
    ListTable,
    creation_column,
    creator_column,
    update_column,
)
from runai_access.row_urls import row_url
from runai_access.ui.dialogs import dialog_url


def _by_first_rule(authority: Authority) -> Sort:
    """Sort by the first rule, as the cell shows it. Applications without rules come first.

    For callers that can read all rules in the account, `first_rule` is denormalized. For others, the
    first visible rule is computed for each row; their lists are shorter. It is computed twice if there
    can be applications without visible rules, which are a separate part of the list.
    """
    if can_use_first_rule(authority):
        return Sort.text("first_rule", is_nullable=True)
    return by_first_rule(authority, is_nullable=not has_visible_rules(authority))


# Columns of the subject, under the names of the model's properties.
_OF_SUBJECT = {"name": F("subject__name"), "enabled": F("subject__enabled")}


def _status(enabled: bool, contained: object) -> str:
    """Return the status; `contained` is when or by whom it was contained, if it is."""
    return "contained" if contained else "enabled" if enabled else "disabled"


class ApplicationTable(SubjectTable):
    """The columns of the Applications page."""

    application = ListColumn(
        "Application", sort=Sort.text("search_text"),
        exports=("subject__name",),
    )  # fmt: skip
    client_id = ListColumn(
        "Client ID", sort=Sort.text("search_text"),
        exports=("subject__name",),
    )  # fmt: skip
    access_rules = ListColumn(
        "Access rule(s)", sort=_by_first_rule,
        as_text=lambda rules: "; ".join(rules or []),
    )  # fmt: skip
    last_login = ListColumn(
        "Last login", sort=Sort.time("last_login", is_nullable=True),
        exports=(SpreadsheetTime("last_login"),),
    )  # fmt: skip
    created_by = creator_column()
    creation_time = creation_column()
    last_updated = update_column()
    owner = ListColumn(
        "Owner", sort=Sort.text("owner_name", is_nullable=True), is_shown=False,
        exports=("owner__name", "owner_name"), as_text=lambda name, living: name if living else "",
    )  # fmt: skip
    description = ListColumn("Description", is_shown=False, exports=("description",))
    labels = ListColumn(
        "Labels", is_shown=False,
        exports=("labels",), as_text=lambda labels: "; ".join(label_texts(labels)),
    )  # fmt: skip
    allowed_addresses = ListColumn(
        "Allowed addresses", is_shown=False,
        exports=("allowed_addresses",), as_text=lambda networks: "; ".join(networks.split()),
    )  # fmt: skip
    client_secrets = ListColumn(
        "Client secrets", sort=Sort.number("secret_count"), is_shown=False,
        exports=("secret_count",),
    )  # fmt: skip
    oldest_secret = ListColumn(
        "Oldest secret", sort=Sort.time("oldest_secret_at", is_nullable=True), is_shown=False,
        exports=(SpreadsheetTime("oldest_secret_at"),),
    )  # fmt: skip
    next_expiry = ListColumn(
        "Next expiry", sort=Sort.time("next_secret_expiry", is_nullable=True), is_shown=False,
        exports=(SpreadsheetTime("next_secret_expiry"),), says_zone=True,
    )  # fmt: skip
    dormancy = ListColumn(
        "Dormancy", is_shown=False, exports=("dormancy",), as_text=lambda dormancy: dormancy or "",
    )  # fmt: skip
    status = ListColumn(
        "Status", sort=Sort.flag("is_enabled"), is_shown=False,
        exports=("subject__enabled", "contained_by"), as_text=_status,
    )  # fmt: skip

    name = "applications"
    model = Application
    default_sort = "-creation_time"
    values = (
        "pk", "name", "enabled", "created_by", "created_at", "updated_at", "last_login",
        "secret_count", "oldest_secret_at", "next_secret_expiry",
        "owner__name", "owner_name", "description", "labels",
        "allowed_addresses", "contained_at", "dormancy", "dormancy_since",
    )  # fmt: skip

    @classmethod
    def complete(cls, queryset: QuerySet[Application], context: Authority) -> Any:  # noqa: ARG003
        return queryset.annotate(**_OF_SUBJECT)

    @classmethod
    def related(cls, keys: list[Any], context: Authority) -> dict[Any, list[str]]:
        """Return the rules of each application as texts, `Role in Scope`."""
        return rule_texts(keys, context)

    def render_application(self, record: Any) -> str:
        return self.name_cell(record, record.name)

    def render_client_id(self, record: Any) -> str:
        element, client_id = f"client-id-{record.pk}", record.name
        return markup(
            '<span class="copyable" data-text="{}"><code class="clip" id="{}" title="{}">{}</code>{}'
            "</span>",
            client_id, element, client_id, marked(client_id, self.search),
            copy_button(element, f"Copy client ID {client_id}"),
        )  # fmt: skip

    def render_access_rules(self, record: Any) -> str:
        """Show the first rules, with a link to the ACCESS RULES dialog."""
        key = record.pk
        link = markup(
            'id="rules-{}" href="{}" hx-boost="true" hx-target="#dialog" hx-swap="innerHTML"'
            ' hx-indicator="#loading"',
            key, dialog_url("applications:access-rules", key, back=self.address),
        )  # fmt: skip
        return self.rules_cell(record, record.name, link)

    def render_owner(self, record: Any) -> str:
        if record.owner_name is None:  # also if the owner was deleted
            return muted("None")
        return clip(record.owner__name, self.search)

    def render_description(self, record: Any) -> str:
        return clip(record.description, self.search)

    def render_labels(self, record: Any) -> str:
        return clip(", ".join(label_texts(record.labels)), self.search)

    def render_allowed_addresses(self, record: Any) -> str:
        networks: list[str] = record.allowed_addresses.split()
        return clip(", ".join(networks)) if networks else muted("All")

    def render_client_secrets(self, record: Any) -> str:
        return str(record.secret_count)

    def render_oldest_secret(self, record: Any) -> str:
        time: datetime | None = record.oldest_secret_at
        return moment(time, relative=True) if time else muted("None")

    def render_next_expiry(self, record: Any) -> str:
        time: datetime | None = record.next_secret_expiry
        if time is None:
            return muted("Never")
        shown = moment(time, in_column=True)
        return shown if time > timezone.now() else markup("{}\n{}", shown, badge("Expired"))

    def render_status(self, record: Any) -> str:
        return _status(record.enabled, record.contained_at).capitalize()

    def render_dormancy(self, record: Any) -> str:
        if record.dormancy is None:
            return muted("None")
        label = Application.Dormancy(record.dormancy).label
        return markup("{}\n{}", badge(label), moment(record.dormancy_since, relative=True))

    def title_of(self, record: Any) -> str:
        return str(record.name)

    def address_of(self, record: Any) -> str:
        return row_url("applications:detail", record.pk)

    @cached_property
    def history_type(self) -> str:
        return "application" if self.authority.reads_audit_log else ""


class TrashTable(ListTable):
    """The columns of the Trash page."""

    application = ListColumn("Application", sort=Sort.text("name"), exports=("name",))
    access_rules = ListColumn("Access rule(s)", as_text=lambda rules: "; ".join(rules or []))
    deleted = ListColumn(
        "Deleted", sort=Sort.time("deleted_at"), exports=(SpreadsheetTime("deleted_at"),),
        says_zone=True,
    )  # fmt: skip
    deleted_by = ListColumn("Deleted by", sort=Sort.text("deleted_by"), exports=("deleted_by",))
    created_by = creator_column()
    creation_time = creation_column()

    name = "deleted-applications"
    model = DeletedApplication
    default_sort = "-deleted"
    has_row_pages = False

    @classmethod
    def related(cls, keys: list[Any], context: Authority) -> dict[Any, list[str]]:
        """Return the rules of each application as texts, if the caller sees all rules."""
        if not sees_all_rules(context):
            return {}
        found = DeletedApplication.objects.filter(InArray("pk", keys))
        return {
            key: [str(DeletedRule(*rule)) for rule in rules]
            for key, rules in found.values_list(AsStored("pk"), "rules")
        }

    def render_application(self, record: DeletedApplication) -> str:
        return clip(record.name, self.search)

    def render_access_rules(self, record: DeletedApplication) -> str:
        if not sees_all_rules(self.authority):
            return muted("Not visible")
        rules = "; ".join(map(str, record.deleted_rules))
        return clip(rules) if rules else muted("None")

    def render_deleted(self, record: DeletedApplication) -> str:
        return moment(record.deleted_at, in_column=True)

    def render_deleted_by(self, record: DeletedApplication) -> str:
        return clip(record.deleted_by, self.search)

    @cached_property
    def history_type(self) -> str:
        return "application" if self.authority.reads_audit_log else ""
