"""Show the Overview."""

import json
from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM, request_of
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.overview.api import OverviewSerializer
from runai_access.overview.report import Overview, read


class Command(OperatorCommand):
    help = (
        "Shows the numbers of the Overview page: applications, access rules and refusals that need "
        "attention, issued tokens, and the state of the audit log."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, as the API returns it")

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals():
            overview = read(request_of(SYSTEM))
        if options["json"]:
            self.stdout.write(json.dumps(OverviewSerializer.represent(overview.as_document())))
        else:
            self.stdout.write("\n".join(_lines(overview)))


def _lines(overview: Overview) -> list[str]:
    lines = []
    for group in overview.groups:
        lines.append(group.title)
        lines += [f"{number.count!s:>10}  {number.title}" for number in group.numbers]
    tokens = overview.tokens
    lines += [
        "Tokens issued",
        f"{tokens.days[-1].count:>10,}  Today (UTC)",
        f"{tokens.total:>10,}  In the last {len(tokens.days)} days",
        overview.audit_log.title,
    ]
    for item in overview.audit_log.items:
        parts = [item.value, f"{item.time:%Y-%m-%d %H:%M} UTC" if item.time else None]
        text = ", ".join(str(part) for part in parts if part is not None) or "-"
        lines.append(f"  {item.name}: {text}{' (overdue)' if item.is_overdue else ''}")
    return lines
