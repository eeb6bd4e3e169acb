"""The numbers of the Overview. Each counts the rows of a filtered list, and links to it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, QueryDict

from accessrules.authorization.grants import gives_access
from accessrules.console.views import rules
from accessrules.models import Role
from applications.views import listing as applications
from runai_access.activity import views as activity
from runai_access.lists.keyset import Count
from runai_access.ui.list_views import ListView

Filters = Mapping[str, Iterable[int | str]]
"""The values of filters, as in the URL of a list."""


@dataclass(frozen=True)
class View:
    """A filtered list whose rows are counted. The API calls it `name`."""

    name: str
    title: str
    filters: Callable[[], Filters]
    page: ListView = applications.PAGE


@dataclass(frozen=True)
class Number:
    """How many rows a view has: exactly what its page shows."""

    name: str
    title: str
    count: Count
    url: str


@dataclass(frozen=True)
class Group:
    """Numbers under a heading."""

    title: str
    numbers: list[Number]


def _view(name: str, title: str, **filters: int | str) -> View:
    return View(name, title, lambda: {key: [value] for key, value in filters.items()})


def _administrator_roles() -> Filters:
    return {"role__any_of": [role.pk for role in Role.objects.order_by("pk") if gives_access(role)]}


def _refusals() -> Filters:
    return {"result__is": ["Failed"], "time__last_days": [1]}


_GROUPS: Mapping[str, tuple[View, ...]] = {
    "Applications": (
        _view("unusedFor90Days", "Unused for 90 days", last_login__days_ago=90),
        _view("neverUsed", "Never used", last_login__never=1),
        _view("disabled", "Disabled", status__is="disabled"),
        _view("withoutOwner", "Without an owner", owner__none=1),
        _view("withoutAccessRules", "Without access rules", access_rules__none=1),
    ),
    "Client secrets": (
        _view(
            "secretsExpiring", "Applications with a secret that expires in the next 30 days",
            next_expiry__next_days=30,
        ),
        _view("secretsExpired", "Applications with an expired secret", next_expiry__past=1),
        _view(
            "secretsOlderThanAYear", "Applications with a secret older than a year",
            oldest_secret__days_ago=365,
        ),
    ),
    "Access": (
        View(
            "administratorRules", "Access rules with an administrator role",
            _administrator_roles, rules.PAGE,
        ),
        View("refusals", "Refusals in the last 24 hours", _refusals, activity.PAGE),
    ),
}  # fmt: skip


# Only with a dormancy policy.
_DORMANT = (
    _view("warnedBecauseUnused", "Warned because unused", dormancy__any_of="warned"),
    _view("disabledBecauseUnused", "Disabled because unused", dormancy__any_of="disabled"),
)


def read(request: HttpRequest) -> list[Group]:
    """Count the rows of each view, as the caller of the request sees them."""
    groups = {**_GROUPS, "Dormancy policy": _DORMANT} if settings.DORMANCY.is_on else _GROUPS
    return [
        Group(title, [_count(view, request) for view in views]) for title, views in groups.items()
    ]


def _count(view: View, request: HttpRequest) -> Number:
    query = urlencode(view.filters(), doseq=True)
    count = view.page.config(request).count(QueryDict(query))
    return Number(view.name, view.title, count, f"{view.page.address}?{query}")
