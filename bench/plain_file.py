"""A typical first implementation of a download: `csv.writer` over `values_list`, without rules."""

import csv
import io
from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse

ROWS = 20_000
PIECE = 16_384


def plain_file(_: HttpRequest) -> StreamingHttpResponse:
    """Send the same columns as the applications file of runai-access, without the rules."""
    return StreamingHttpResponse(_plain_lines(), content_type="text/csv")


def _plain_lines() -> Iterator[str]:
    from applications.models import Application

    columns = ("subject__name", "subject__name", "last_login", "created_by", "created_at")
    rows = Application.objects.order_by("-created_at").values_list(*columns, "updated_at")[:ROWS]
    piece = io.StringIO()
    writer = csv.writer(piece)
    for row in rows.iterator():
        writer.writerow(row)
        if piece.tell() > PIECE:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()
