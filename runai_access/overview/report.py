"""The content of the Overview, for its page, the API and the command."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from applications.oauth.token_counts import tokens_per_day
from runai_access.overview import numbers
from runai_access.overview.chart import Chart, DayCount
from runai_access.system.report import Section, read_audit_log


@dataclass(frozen=True)
class Overview:
    """Numbers, the issued tokens per day, and the state of the audit log."""

    groups: list[numbers.Group]
    tokens: Chart
    audit_log: Section

    @property
    def numbers(self) -> Iterator[numbers.Number]:
        for group in self.groups:
            yield from group.numbers

    def as_document(self) -> dict[str, Any]:
        """Return the members of the API's response."""
        return {
            "numbers": [
                {
                    "name": number.name,
                    "title": number.title,
                    "count": number.count.number,
                    "exact": number.count.is_exact,
                    "url": number.url,
                }
                for number in self.numbers
            ],
            "tokensPerDay": self.tokens.days,
            "auditLog": self.audit_log.items,
        }


def read(request: HttpRequest) -> Overview:
    """Read the Overview as the caller of the request sees it."""
    days = [DayCount(day, count) for day, count in tokens_per_day()]
    return Overview(numbers.read(request), Chart(days), read_audit_log())
