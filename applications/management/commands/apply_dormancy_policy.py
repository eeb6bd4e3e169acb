"""Apply the dormancy policy, or list what it would do."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db.models import QuerySet
from django.utils import timezone

from applications.dormancy import (
    apply_policy,
    count_excluded,
    to_disable,
    to_warn,
    with_unused_since,
)
from applications.models import Application
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.environment import DormancyPolicy


class Command(OperatorCommand):
    help = (
        "Warns about unused applications and disables them, as the server does every 5 minutes. "
        "--dry-run lists which, and why. The policy is in RUNAI_ACCESS_DORMANCY_WARN_DAYS, "
        "RUNAI_ACCESS_DORMANCY_DISABLE_DAYS and RUNAI_ACCESS_DORMANCY_EXCLUDE."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        policy: DormancyPolicy = settings.DORMANCY
        if not policy.is_on:
            raise CommandError(
                "There is no dormancy policy. Set RUNAI_ACCESS_DORMANCY_WARN_DAYS or "
                "RUNAI_ACCESS_DORMANCY_DISABLE_DAYS."
            )
        with report_refusals():
            if dry_run:
                self._list(policy)
            else:
                done = apply_policy()
                self.stdout.write(
                    f"{done['warned']:,} warned, {done['disabled']:,} disabled, "
                    f"{done['released']:,} warnings ended."
                )

    def _list(self, policy: DormancyPolicy) -> None:
        numbers = {}
        for action, affected in (("disable", to_disable(policy)), ("warn", to_warn(policy))):
            numbers[action] = 0
            for line in _lines(affected):
                self.stdout.write(f"{action:8} {line}")
                numbers[action] += 1
        self.stdout.write(
            f"{numbers['warn']:,} to warn, {numbers['disable']:,} to disable, "
            f"{count_excluded(policy):,} excluded by a label. Nothing was changed."
        )


def _lines(affected: QuerySet[Application]) -> Iterator[str]:
    now = timezone.now()
    for application in with_unused_since(affected).select_related("subject").iterator():
        since = application.unused_since
        begins = {application.created_at: "created", application.enabled_at: "enabled"}
        why = f"unused for {(now - since).days} days: {begins.get(since, 'last used')} {since:%Y-%m-%d}"
        if application.dormancy_since:
            why += f", warned {application.dormancy_since:%Y-%m-%d}"
        yield f"{application.name}  {why}"
