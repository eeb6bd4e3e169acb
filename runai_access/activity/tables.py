"""The Activity table."""

from runai_access.activity.words import action_words, change_texts, entity_words
from runai_access.audit.models import AuditEvent
from runai_access.ui.keyset import Sort
from runai_access.ui.tables import ListColumn, ListTable


def _cell(name: str) -> str:
    return f"activity/cells/_{name}.html"


class EventTable(ListTable):
    """The columns of the Activity page. Only time has an order that every filter's index keeps."""

    time = ListColumn("Time", _cell("time"), sort=Sort.time("time"), exports=("time",))
    subject = ListColumn("Subject", _cell("subject"), exports=("subject_name",))
    action = ListColumn("Action", _cell("action"), exports=("action",), as_text=action_words)
    entity = ListColumn(
        "Entity", _cell("entity"), exports=("entity_type", "entity_name"), as_text=entity_words
    )
    result = ListColumn("Result", _cell("result"), exports=("result",))
    details = ListColumn(
        "Details", _cell("details"), exports=("changes", "reason"),
        as_text=lambda changes, reason: "; ".join(
            [*change_texts(changes), *([reason] if reason else [])]
        ),
    )  # fmt: skip
    source_ip = ListColumn("Source address", _cell("source_ip"), exports=("source_ip",))
    subject_type = ListColumn(
        "Subject type", _cell("subject_type"), exports=("subject_type",), is_shown=False
    )
    entity_id = ListColumn("Entity ID", _cell("entity_id"), exports=("entity_id",), is_shown=False)
    request = ListColumn(
        "Request", _cell("request"), exports=("http_method", "path"),
        as_text=lambda method, path: f"{method} {path}".strip(), is_shown=False,
    )  # fmt: skip
    request_id = ListColumn(
        "Request ID", _cell("request_id"), exports=("request_id",), is_shown=False
    )

    name = "activity"
    default_sort = "-time"
    model = AuditEvent
    has_row_pages = False
