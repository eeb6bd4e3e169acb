"""List the client secrets of an application."""

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from applications.management.applications import application_named
from applications.models import ClientSecret
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Lists the client secrets of an application, newest first, without their texts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals():
            secrets = list(application_named(options["name"]).secrets.all())
        if options["json"]:
            self.stdout.write(json.dumps([_document(secret) for secret in secrets]))
            return
        for secret in secrets:
            expiry = f"{secret.expires_at:%Y-%m-%d}" if secret.expires_at else "never"
            self.stdout.write(
                f"{secret.pk}  {secret.status:8}  expires {expiry:10}  {secret.label}"
            )


def _document(secret: ClientSecret) -> dict[str, str | None]:
    return {
        "id": secret.pk,
        "label": secret.label,
        "status": secret.status,
        "createdAt": _text(secret.created_at),
        "expiresAt": _text(secret.expires_at),
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
