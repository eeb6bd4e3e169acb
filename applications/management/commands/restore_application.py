"""Restore a deleted application."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError

from accessrules.authorization.callers import SYSTEM
from applications import policy
from applications.models import TRASH_DAYS, DeletedApplication
from applications.trash import restore_application
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        f"Restores an application that was deleted in the last {TRASH_DAYS} days, with its access "
        "rules, but without its client secrets. Without NAME_OR_ID, lists those that can be restored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME_OR_ID", nargs="?")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        with report_refusals():
            if name is None:
                for deleted in policy.deleted(SYSTEM).order_by("-deleted_at"):
                    self.stdout.write(_line(deleted))
                return
            restored = restore_application(caller=SYSTEM, application_id=_id_of(name))
        self.stdout.write(f"Restored application {restored.application.name}.")
        for rule in restored.restoration.lost_rules:
            self.stdout.write(
                f"Access rule not restored, it expired or its role or scope is gone: {rule}."
            )


def _id_of(name_or_id: str) -> str:
    """Return the ID of the deleted application with this name; any other text is taken as an ID."""
    found = list(policy.deleted(SYSTEM).filter(name=name_or_id).order_by("-deleted_at"))
    if len(found) > 1:
        lines = "\n".join(map(_line, found))
        raise CommandError(f"{name_or_id} was deleted {len(found)} times. Pass an ID:\n{lines}")
    return str(found[0].pk) if found else name_or_id


def _line(deleted: DeletedApplication) -> str:
    return f"{deleted.pk}  {deleted.deleted_at:%Y-%m-%d %H:%M}  {deleted.name}"
