"""The Activity table."""

from runai_access.activity import cells
from runai_access.activity.descriptions import describe_action, describe_changes, describe_entity
from runai_access.audit.models import AuditEvent
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.keyset import Sort
from runai_access.lists.tables import ListColumn, ListTable


class EventTable(ListTable):
    """The columns of the Activity page. Only time has an order that every filter's index keeps."""

    time = ListColumn(
        "Time",
        cells.time,
        sort=Sort.time("time"),
        exports=(SpreadsheetTime("time"),),
        says_zone=True,
    )
    subject = ListColumn("Subject", cells.subject, exports=("subject_name",))
    action = ListColumn("Action", cells.action, exports=("action",), as_text=describe_action)
    entity = ListColumn(
        "Entity", cells.entity, exports=("entity_type", "entity_name"), as_text=describe_entity
    )
    result = ListColumn("Result", cells.result, exports=("result",))
    details = ListColumn(
        "Details", cells.details, exports=("action", "changes", "reason"),
        as_text=lambda action, changes, reason: "; ".join(
            [*describe_changes(action, changes), *([reason] if reason else [])]
        ),
    )  # fmt: skip
    source_ip = ListColumn("Source address", cells.source_ip, exports=("source_ip",))
    subject_type = ListColumn(
        "Subject type", cells.subject_type, exports=("subject_type",), is_shown=False
    )
    entity_id = ListColumn("Entity ID", cells.entity_id, exports=("entity_id",), is_shown=False)
    request = ListColumn(
        "Request", cells.request, exports=("http_method", "path"),
        as_text=lambda method, path: f"{method} {path}".strip(), is_shown=False,
    )  # fmt: skip
    request_id = ListColumn("Request ID", cells.request_id, exports=("request_id",), is_shown=False)

    name = "activity"
    default_sort = "-time"
    model = AuditEvent
    has_row_pages = False
