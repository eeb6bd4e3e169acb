"""What is asked of the peers: the views of our table that they have too."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from math import ceil
from urllib.parse import urlencode

from bench.million.names import MANY, NONE, RARE
from bench.million.rows import ROWS, Row, View
from bench.million.running import Bench

GROUP = "peers"
# A view of theirs may take seconds.
ROUNDS = 3
LIST = "plain ModelSerializer, 1,000 applications"
_ADMIN_COLUMNS = {"-last_login": "-2", "created_by": "3"}


@dataclass(frozen=True)
class _Asked:
    """A view as the page of django-tables2 is asked for it."""

    page: str = ""
    sort: str = ""
    search: str = ""
    role: str = ""


def peers_of(name: str) -> tuple[str, ...]:
    """Return the names of the peers' rows to hold a view of ours against."""
    return (_admin(name), _table(name)) if name in _views() else ()


def measure(bench: Bench) -> list[Row]:
    """Ask the peers, which are served where `bench` is."""
    return bench.measure(GROUP, _addresses(), ROUNDS)


def _addresses() -> Iterator[View]:
    for name, asked in _views().items():
        query = {name: value for name, value in asdict(asked).items() if value}
        admin = {
            "p": asked.page, "o": _ADMIN_COLUMNS.get(asked.sort, ""), "q": asked.search,
            "subject__access_rules__role__id__exact": asked.role,
        }  # fmt: skip
        given = urlencode({name: value for name, value in admin.items() if value})
        yield View(_admin(name), f"/bench/admin/applications/application/?{given}")
        yield View(_table(name), f"/bench/table/?{urlencode(query)}")
    yield View(LIST, "/bench/api/")


@cache
def _views() -> dict[str, _Asked]:
    """Return the views by the names that `cases` gives ours."""
    from accessrules.models import Role
    from applications.models import Application

    role = {name: str(pk) for name, pk in Role.objects.values_list("name", "pk")}
    return {
        "first page": _Asked(),
        "last page": _Asked(page=str(ceil(Application.objects.count() / ROWS))),
        "page 100": _Asked(page="100"),
        "sort by last_login, down": _Asked(sort="-last_login"),
        "sort by created_by, up": _Asked(sort="created_by"),
        "search, many hits": _Asked(search=MANY),
        "search, few hits": _Asked(search=RARE),
        "search, no hit": _Asked(search=NONE),
        "role, many": _Asked(role=role["Viewer"]),
        "role, fewer": _Asked(role=role["Department administrator"]),
        "role and search": _Asked(role=role["Viewer"], search=MANY),
    }


def _admin(name: str) -> str:
    return f"Django admin: {name}"


def _table(name: str) -> str:
    return f"django-tables2: {name}"
