"""The dormancy policy: warns about unused applications, and disables them.

An application is unused since its last use, its creation, or since someone enabled or restored it,
whichever is the latest. With both limits, it is disabled only after it has been warned for the time
between them: a new or stricter policy then disables nothing without a warning, however long it was
unused. With only the limit to disable, there are no warnings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest, StrIndex
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan
from django.utils import timezone

from accessrules.actions.subjects import set_subjects_enabled
from accessrules.authorization.callers import SYSTEM
from applications.actions.changes import end_tokens, entity_of
from applications.actions.locking import lock_applications, lock_with_subjects
from applications.models import (
    END_MARK,
    LABEL_MARK,
    UNUSED_SINCE,
    Application,
    ClientSecret,
)
from runai_access.audit.recorder import record_all
from runai_access.db.normalization import normalize
from runai_access.environment import DormancyPolicy
from runai_access.lists.sorts import Sort, after_cursor, keyed

_BATCH_SIZE = 200
_WARNED, _DISABLED = Application.Dormancy.WARNED, Application.Dormancy.DISABLED


@dataclass(frozen=True)
class Notice:
    """What the page of an application says about its dormancy.

    `disabled_from` is when it can be disabled, None if it is disabled or never will be.
    """

    application: Application
    unused_since: datetime
    disabled_from: datetime | None = None

    @property
    def is_disabled(self) -> bool:
        return self.application.dormancy == _DISABLED


def notice_of(application: Application) -> Notice | None:
    """Return the notice of an application that was warned or disabled, and not used since."""
    since = application.dormancy_since
    if application.dormancy is None or since is None:
        return None
    found = with_unused_since(Application.objects.filter(pk=application.pk)).first()
    if found is None or found.unused_since > since:
        return None  # deleted, or used: the job ends the warning soon
    return Notice(application, found.unused_since, _disabled_from(application, found.unused_since))


def _disabled_from(application: Application, unused_since: datetime) -> datetime | None:
    policy, since = settings.DORMANCY, application.dormancy_since
    if application.dormancy == _DISABLED or policy.disable_days is None or since is None:
        return None
    return max(unused_since + timedelta(days=policy.disable_days), since + _notice(policy))


def with_unused_since(rows: QuerySet[Application]) -> QuerySet[Any]:
    """Add `unused_since`, which includes the use of secrets without a login."""
    uses = ClientSecret.objects.filter(application=OuterRef("pk")).exclude(last_used_at=None)
    last_use = Subquery(uses.order_by("-last_used_at").values("last_used_at")[:1])
    since = Greatest(UNUSED_SINCE, Coalesce(last_use, F("created_at")))
    return rows.annotate(unused_since=since)


def to_warn(policy: DormancyPolicy) -> QuerySet[Any]:
    """Return the applications to warn now, the longest unused first."""
    return _unused(policy.warn_days, policy).filter(dormancy=None)


def to_disable(policy: DormancyPolicy) -> QuerySet[Any]:
    """Return the applications to disable now.

    With both limits those that were warned long enough ago, the first warned first. Else all unused
    ones, the longest unused first, warned or not: nobody is warned any more.
    """
    unused = _unused(policy.disable_days, policy)
    if policy.warn_days is None:
        return unused.exclude(dormancy=_DISABLED)
    warned = unused.filter(dormancy=_WARNED, dormancy_since__lte=timezone.now() - _notice(policy))
    return _in_order(warned, F("dormancy_since"))


def _to_disable_after_release(policy: DormancyPolicy) -> QuerySet[Any]:
    """Return the applications to disable if warnings that no longer count have ended: by an index."""
    rows = to_disable(policy)
    return rows.filter(dormancy=None) if policy.warn_days is None else rows


def to_release(policy: DormancyPolicy) -> QuerySet[Any]:
    """Return the warned applications that were used since, or that the policy no longer warns."""
    warned = _in_order(Application.objects.filter(dormancy=_WARNED), F("dormancy_since"))
    if policy.warn_days is None:
        return warned
    begin = _begin(policy.warn_days)
    is_used = Q(GreaterThanOrEqual(UNUSED_SINCE, begin)) | Q(Exists(_uses_since(begin)))
    return warned.filter(is_used | Q(is_enabled=False) | _is_excluded(policy))


def _enabled_by_former_release(_: DormancyPolicy) -> QuerySet[Any]:
    """Return disabled applications that a server of a release without this policy has enabled."""
    enabled = Application.objects.filter(dormancy=_DISABLED, is_enabled=True)
    return _in_order(enabled, F("dormancy_since"))


def count_excluded(policy: DormancyPolicy) -> int:
    """Return how many enabled applications are unused, but excluded by a label."""
    days = policy.warn_days or policy.disable_days
    if days is None or not policy.excluded_labels:
        return 0
    everyone = DormancyPolicy(policy.warn_days, policy.disable_days)
    return _unused(days, everyone).filter(_is_excluded(policy)).order_by().count()


def _unused(days: int | None, policy: DormancyPolicy) -> QuerySet[Any]:
    """Return the enabled applications that are unused for `days`, the longest unused first."""
    begin = _begin(days or 0)
    unused = Application.objects.filter(LessThan(UNUSED_SINCE, begin), is_enabled=True)
    rows = _in_order(unused.filter(~Exists(_uses_since(begin))), UNUSED_SINCE)
    if days is None:
        return rows.none()
    return rows.exclude(_is_excluded(policy)) if policy.excluded_labels else rows


def _in_order(rows: QuerySet[Any], by: Combinable) -> QuerySet[Any]:
    """Return the rows with their `sort_key`, in the order of an index."""
    return keyed(rows, Sort(by)).order_by("sort_key", "pk")


def _uses_since(begin: datetime) -> QuerySet[ClientSecret]:
    return ClientSecret.objects.filter(application=OuterRef("pk"), last_used_at__gte=begin)


def _is_excluded(policy: DormancyPolicy) -> Q:
    """Return the condition for an excluded label, compared as the list's filter does."""
    condition = Q(pk__in=[])
    for label in policy.excluded_labels:
        text = Value(f"{LABEL_MARK}{normalize(label)}{END_MARK}")
        condition |= Q(GreaterThan(StrIndex(F("searched_details"), text), 0))
    return condition


def _begin(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def _notice(policy: DormancyPolicy) -> timedelta:
    """Return how long an application is warned before it is disabled."""
    if policy.warn_days is None or policy.disable_days is None:
        return timedelta()
    return timedelta(days=policy.disable_days - policy.warn_days)


def apply_policy(should_continue: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Warn and disable unused applications, and end warnings of used ones: a background job.

    Returns the number of each. Works in short transactions.
    """
    policy: DormancyPolicy = settings.DORMANCY
    done = {"released": 0, "warned": 0, "disabled": 0}
    for name, affected, act in _STEPS:
        begin = Q()
        # After the last key, because the index begins with applications that were left out.
        while should_continue():
            rows = affected(policy).filter(begin).values_list("sort_key", "pk")
            found = list(rows[:_BATCH_SIZE])
            if not found:
                break
            done[name] += act([pk for _, pk in found], affected(policy))
            begin = after_cursor(*found[-1], is_descending=False)
    return done


@transaction.atomic
def _warn(keys: list[UUID], affected: QuerySet[Application]) -> int:
    found = _still(affected, lock_applications(keys))
    return _set_dormancy(found, _WARNED, timezone.now())


@transaction.atomic
def _release(keys: list[UUID], affected: QuerySet[Application]) -> int:
    found = _still(affected, lock_applications(keys))
    for application in found:
        if application.dormancy == _DISABLED:
            application.enabled_at = timezone.now()  # unknown, and not before
    return _set_dormancy(found, None, None, "enabled_at")


@transaction.atomic
def _disable(keys: list[UUID], affected: QuerySet[Application]) -> int:
    found = _still(affected, lock_with_subjects(keys))
    set_subjects_enabled([application.subject for application in found], enabled=False)
    now = timezone.now()
    for application in found:
        application.updated_at = now
        end_tokens(application)
    return _set_dormancy(found, _DISABLED, now, "credential_id", "updated_at")


def _still(
    affected: QuerySet[Application], locked: list[Application]
) -> dict[Application, datetime]:
    """Return those that are still affected, now that they can't change, with their last use."""
    rows = with_unused_since(affected.filter(pk__in=[application.pk for application in locked]))
    since = dict(rows.values_list("pk", "unused_since"))
    return {application: since[application.pk] for application in locked if application.pk in since}


def _set_dormancy(
    found: Mapping[Application, datetime], dormancy: str | None, at: datetime | None, *fields: str
) -> int:
    """Store and record what happened to applications, with how long they were unused."""
    recorded = []
    for application, unused_since in found.items():
        changes: dict[str, list[Any]] = {"dormancy": [application.dormancy, dormancy]}
        if dormancy:
            changes["unusedForDays"] = [None, (timezone.now() - unused_since).days]
        if dormancy == _DISABLED:
            changes["enabled"] = [True, False]
        recorded.append(("update", entity_of(application), changes))
        application.dormancy, application.dormancy_since = dormancy, at
    Application.objects.bulk_update(found, ["dormancy", "dormancy_since", *fields])
    record_all(recorded, actor=SYSTEM.actor)
    return len(found)


_Affected = Callable[[DormancyPolicy], QuerySet[Any]]
_Act = Callable[[list[UUID], QuerySet[Any]], int]
_STEPS: list[tuple[str, _Affected, _Act]] = [
    ("released", to_release, _release),
    ("released", _enabled_by_former_release, _release),
    ("warned", to_warn, _warn),
    ("disabled", _to_disable_after_release, _disable),
]
