"""The measured views of the table, each as a URL query."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F

from bench.million.names import DAYS, MANY, NONE, RARE, SOMEBODY, START
from bench.million.rows import WORST
from runai_access.lists.sorts import encode

COLUMNS = (
    "application", "access_rules", "last_login", "created_by", "creation_time", "last_updated",
    "status",
)  # fmt: skip


def queries() -> dict[str, dict[str, str]]:
    """Return the views by name. Needs the database for the keys of roles and scopes."""
    from accessrules.models import Role, Scope

    role = {name: str(pk) for name, pk in Role.objects.values_list("name", "pk")}
    scope = dict(Scope.objects.values_list("name", "pk"))
    project = next(str(pk) for name, pk in scope.items() if name.endswith("-lab-2500"))
    return {
        "first page": {},
        "last page": {"page": "last"},
        "page 100": {"page": "100"},
        **_beside_the_middle(),
        **dict(_sorts()),
        "search, many hits": {"search": MANY},
        "search, few hits": {"search": RARE},
        "search, an address": {"search": SOMEBODY},
        "search, no hit": {"search": NONE},
        "search, names and scopes": {"search": "vision"},
        "search, a role's name": {"search": "Department administrator"},
        "search, a scope's name": {"search": "lab-2500"},
        "search, all scopes' names": {"search": "-lab-"},
        "search, one character": {"search": "q"},
        "search, two characters, no hit": {"search": "qq"},
        "search, many hits, last page": {"search": MANY, "page": "last"},
        "role, many": {"role__any_of": role["Viewer"]},
        "role, fewer": {"role__any_of": role["Department administrator"]},
        "role, none": {"role__any_of": role["Research manager"]},
        "role, many, last page": {"role__any_of": role["Viewer"], "page": "last"},
        "role, many, by login": {"role__any_of": role["Viewer"], "sort": "-last_login"},
        "scope": {"scope__any_of": project},
        "scope, more": {"scope__any_of": str(scope["cluster-001"])},
        "scope, many": {"scope__any_of": str(scope["acme"])},
        "time, many": {"creation_time__after": "2024-06-01"},
        "time, few": {"creation_time__before": "2024-01-01"},
        "time of another column": {"last_login__before": "2024-01-10"},
        "never signed in": {"last_login__never": "1"},
        "disabled": {"status__is": "disabled"},
        "created by": {"created_by__is": "terraform"},
        "created by somebody": {"created_by__is": SOMEBODY},
        "role and search": {"role__any_of": role["Viewer"], "search": MANY},
        "role and search, few": {"role__any_of": role["Editor"], "search": RARE},
        # An application changes within 30 days after its creation.
        WORST: {"creation_time__before": "2024-05-01", "last_updated__after": "2024-07-01"},
    }


def _beside_the_middle() -> dict[str, dict[str, str]]:
    """Return the next and the previous page from a row in the middle."""
    from applications.models import Application

    since = {"created_at__gte": START + timedelta(days=DAYS / 2)}
    rows = Application.objects.annotate(sort_key=F("created_at")).filter(**since)
    cursor = encode(rows.order_by("created_at", "pk")[0])
    return {"next page": {"after": cursor}, "previous page": {"before": cursor}}


def _sorts() -> Iterable[tuple[str, dict[str, str]]]:
    for column in COLUMNS:
        for sign, word in (("", "up"), ("-", "down")):
            yield f"sort by {column}, {word}", {"sort": f"{sign}{column}"}
            yield f"sort by {column}, {word}, last", {"sort": f"{sign}{column}", "page": "last"}
