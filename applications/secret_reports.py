"""How client secrets are used, and whether they can be revoked without breaking a caller."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Sum
from django.utils import timezone

from applications.models import Application, ClientSecret, SecretUse
from applications.oauth.secret_use import KEPT_DAYS
from applications.oauth.tokens import lifetime_of

# A caller runs at least daily, or it has to be known by other means.
_SAFE_AFTER = timedelta(hours=24)
_CALLER_DAYS = 30


@dataclass(frozen=True)
class CallerUse:
    """The use of a secret by one caller; without an address, by all others."""

    address: str
    agent: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class SecretReport:
    """A client secret and its use.

    `last_used_at` of a secret from before 0.2.0 can be a login with another secret. `days` are the
    number of uses on each of the last KEPT_DAYS days, oldest first. `callers` are those of the last
    30 days, the latest first.
    """

    secret: ClientSecret
    last_used_at: datetime | None
    days: Sequence[tuple[date, int]]
    callers: Sequence[CallerUse]
    safe_after: timedelta

    @property
    def recent_callers(self) -> list[CallerUse]:
        """The callers that would break if the secret were revoked."""
        since = timezone.now() - self.safe_after
        return [caller for caller in self.callers if caller.last_at > since]

    @property
    def is_safe_to_revoke(self) -> bool:
        """Whether nobody has used the secret for a day, nor has a token from it."""
        return self.last_used_at is None or self.last_used_at < timezone.now() - self.safe_after

    @property
    def unused_for(self) -> str:
        """How long the secret has not been used, for example "26 hours"."""
        if self.last_used_at is None:
            return ""
        hours = int((timezone.now() - self.last_used_at) / timedelta(hours=1))
        return f"{hours} hours" if hours < 72 else f"{hours // 24} days"

    @property
    def total(self) -> int:
        """The number of uses in `days`."""
        return sum(count for _, count in self.days)

    @property
    def uses_per_day(self) -> list[dict[str, date | int]]:
        """The days on which the secret was used."""
        return [{"day": day, "uses": count} for day, count in self.days if count]

    @property
    def bars(self) -> list[tuple[int, int, int]]:
        """The bars of the chart of `days`: x, y and height in a box of 270 by 24."""
        most = max((count for _, count in self.days), default=0) or 1
        heights = [-(-22 * count // most) for _, count in self.days]
        return [(3 * n, 24 - height, height) for n, height in enumerate(heights) if height]


def reports_of(application: Application, secret_id: str = "") -> list[SecretReport]:
    """Return the reports of an application's secrets, newest first, or of one of them."""
    secrets = application.secrets.all()
    if secret_id:
        secrets = secrets.filter(pk=secret_id)
    uses = SecretUse.objects.filter(secret__in=secrets)
    today = timezone.now().date()
    first = today - timedelta(days=KEPT_DAYS - 1)
    per_day = uses.filter(day__gte=first).values_list("secret", "day").annotate(Sum("count"))
    counts = {(key, day): count for key, day, count in per_day.order_by()}
    callers: defaultdict[str, list[CallerUse]] = defaultdict(list)
    recent = uses.filter(day__gt=today - timedelta(days=_CALLER_DAYS))
    grouped = recent.values_list("secret", "address", "agent").annotate(
        uses=Sum("count"), latest=Max("last_at")
    )
    for key, address, agent, count, last_at in grouped.order_by("-latest", "address", "agent"):
        callers[key].append(CallerUse(address, agent, count, last_at))
    days = [first + timedelta(days=n) for n in range(KEPT_DAYS)]
    # A token outlives the use that it was issued for.
    lifetime = lifetime_of(application)
    return [
        SecretReport(
            secret,
            secret.last_used_at or (application.last_login if secret.has_old_format else None),
            [(day, counts.get((secret.pk, day), 0)) for day in days],
            callers[secret.pk],
            max(_SAFE_AFTER, timedelta(seconds=lifetime)),
        )
        for secret in secrets
    ]
