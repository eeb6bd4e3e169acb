"""List the client secrets of an application."""

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from applications.management.applications import application_named
from applications.secret_reports import SecretReport, reports_of
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Lists the client secrets of an application, newest first, without their texts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals():
            reports = reports_of(application_named(options["name"]))
        if options["json"]:
            self.stdout.write(json.dumps([_document(report) for report in reports]))
            return
        for report in reports:
            secret = report.secret
            expiry = f"{secret.expires_at:%Y-%m-%d}" if secret.expires_at else "never"
            used = f"{report.last_used_at:%Y-%m-%d %H:%M}" if report.last_used_at else "never"
            state = f"{secret.status:8}  expires {expiry:10}  last used {used:16}"
            self.stdout.write(f"{secret.pk}  {state}  {secret.label}")


def _document(report: SecretReport) -> dict[str, str | bool | None]:
    secret = report.secret
    return {
        "id": secret.pk,
        "label": secret.label,
        "status": secret.status,
        "createdAt": _text(secret.created_at),
        "expiresAt": _text(secret.expires_at),
        "lastUsedAt": _text(report.last_used_at),
        "safeToRevoke": report.is_safe_to_revoke,
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
