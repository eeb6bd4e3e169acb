"""The views of our table that the peers have too."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from math import ceil
from urllib.parse import urlencode

from bench.million.names import MANY, NONE, RARE
from bench.million.rows import ROWS, Row, View
from bench.million.running import Bench

GROUP = "peers"
# A peer's view can need seconds.
ROUNDS = 3
LIST = "plain ModelSerializer, 1,000 applications"
_ADMIN_COLUMNS = {"-last_login": "-2", "created_by": "3"}


@dataclass(frozen=True)
class _PeerQuery:
    """A view, as parameters of the django-tables2 page."""

    page: str = ""
    sort: str = ""
    search: str = ""
    role: str = ""


def peers_of(name: str) -> tuple[str, ...]:
    """Return the names of the peers' rows that are comparable to one of our views."""
    return (_admin(name), _table(name)) if name in _views() else ()


def measure(bench: Bench) -> list[Row]:
    """Measure the peers, which the server of `bench` serves too."""
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
def _views() -> dict[str, _PeerQuery]:
    """Return the views under the names in `cases`."""
    from accessrules.models import Role
    from applications.models import Application

    role = {name: str(pk) for name, pk in Role.objects.values_list("name", "pk")}
    return {
        "first page": _PeerQuery(),
        "last page": _PeerQuery(page=str(ceil(Application.objects.count() / ROWS))),
        "page 100": _PeerQuery(page="100"),
        "sort by last_login, down": _PeerQuery(sort="-last_login"),
        "sort by created_by, up": _PeerQuery(sort="created_by"),
        "search, many hits": _PeerQuery(search=MANY),
        "search, few hits": _PeerQuery(search=RARE),
        "search, no hit": _PeerQuery(search=NONE),
        "role, many": _PeerQuery(role=role["Viewer"]),
        "role, fewer": _PeerQuery(role=role["Department administrator"]),
        "role and search": _PeerQuery(role=role["Viewer"], search=MANY),
    }


def _admin(name: str) -> str:
    return f"Django admin: {name}"


def _table(name: str) -> str:
    return f"django-tables2: {name}"
