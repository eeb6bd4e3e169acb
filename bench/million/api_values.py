"""The values of filters and searches: those that match few rows, many, or none.

Every filter of every list needs values; `values_of` fails for a filter without. In a database without
the data of the bench, IDs are those of no row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from bench.million import names
from bench.million.api_lists import ApiList

ByMatches = Mapping[str, str]
"""Values by what they match: few, many, none."""
Operators = Mapping[str, ByMatches]
"""The values of each operator of a field."""

_EARLY, _LATE = "1990-01-01T00:00:00Z", "2090-01-01T00:00:00Z"
_FEW_ROWS = 20
_NO_UUID = "7d1c2f4e-5b0a-4c39-9d67-2f8e6a1b3c50"
NULL = "null"


@dataclass(frozen=True)
class ListValues:
    """The values of one list.

    `always` are required parameters. `common` is a condition that many rows match. `exact` is a filter
    by the exact name, `detail` the exact ID. `disjoint` are pairs of conditions that match many rows
    each, and hardly any together.
    """

    fields: Mapping[str, Operators]
    parameters: Mapping[str, ByMatches] = field(default_factory=dict)
    searches: ByMatches = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)
    common: str = ""
    exact: str = ""
    detail: str = ""
    disjoint: tuple[tuple[str, str], ...] = ()


def list_values() -> dict[str, ListValues]:
    """Return the values by the name of the list. Counts use those of their list."""
    return {
        "service-accounts": _applications(), "deleted-service-accounts": _deleted(),
        "access-rules": _rules(), "me/access-rules": _mine(),
        "permissions": _permissions(), "roles": _roles(), "users": _users(),
        "clusters": _scopes("cluster"), "departments": _scopes("department"),
        "projects": _scopes("project"), "audit/log": _events(),
    }  # fmt: skip


def values_of(of_list: ApiList, values: Mapping[str, ListValues]) -> ListValues:
    """Return the values of a list or count. Raises AssertionError if some are missing."""
    found = values.get(of_list.name.removesuffix("/count"), ListValues({}))
    if missing := list(_missing(of_list, found)):
        raise AssertionError(f"bench/million/api_values.py: no values for {', '.join(missing)}.")
    return found


def _missing(of_list: ApiList, values: ListValues) -> Iterator[str]:
    """Yield the filters of a list that have no values."""
    for name, operators in of_list.operators.items():
        for operator in operators:
            if not values.fields.get(name, {}).get(operator):
                yield f"{of_list.name}: {name}{operator}"
    for name in of_list.parameters:
        if name not in values.parameters and name not in values.always:
            yield f"{of_list.name}: {name}"


# The operators of each type of field.


def _text(
    few: str, many: str, *, inside: tuple[str, str], start: tuple[str, str], end: tuple[str, str]
) -> Operators:
    """Return the values of a text; `inside`, `start` and `end` match few and many rows."""
    equal = _by_matches(few, many)
    return {
        "==": equal, "!=": equal, "=@": _by_matches(*inside), "!@": _by_matches(*inside),
        "=^": _by_matches(*start), "=$": _by_matches(*end),
    }  # fmt: skip


def _word(few: str, many: str) -> Operators:
    """Return the values of a text that has few distinct values."""
    return _text(
        few, many,
        inside=(few[1:-1], many[1:-1]), start=(few[:3], many[:3]), end=(few[-3:], many[-3:]),
    )  # fmt: skip


def _by_matches(few: str, many: str, none: str = names.NONE) -> ByMatches:
    return {name: text for name, text in (("few", few), ("many", many), ("none", none)) if text}


def _number(few: int, many: int) -> Operators:
    equal = _by_matches(str(few), str(many), "999999")
    return {
        "==": equal, "!=": equal, "<=": _by_matches(str(few), str(many), "0"),
        ">=": _by_matches(str(few), str(many), "999999"),
    }  # fmt: skip


def _flag(few: str, many: str) -> Operators:
    equal = {"few": few, "many": many}
    return {"==": equal, "!=": equal}


def _time(rows: QuerySet[Any], column: str, *, is_nullable: bool = False) -> Operators:
    """Return the values of a time, read from the database."""
    times = rows.exclude(**{column: None}).values_list(column, flat=True)

    def at(position: int, sign: str = "") -> str:
        found = times.order_by(f"{sign}{column}")[position : position + 1]
        return _as_text(next(iter(found), names.START))

    number = times.count()
    place = min(_FEW_ROWS, number // 2)
    equal = {"few": at(number // 3), "none": _EARLY}
    values = {
        "==": equal, "!=": equal,
        "<=": {"few": at(place), "many": at(number // 2), "none": _EARLY},
        ">=": {"few": at(place, "-"), "many": at(number // 2), "none": _LATE},
    }  # fmt: skip
    return _or_null(values) if is_nullable else values


def _or_null(values: Operators) -> Operators:
    """Return the values of a nullable field."""
    equal = {**values["=="], "null": NULL}
    return {**values, "==": equal, "!=": equal}


def _as_text(time: datetime) -> str:
    return f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _after_start(share: float) -> str:
    return _as_text(names.START + timedelta(days=names.DAYS * share))


# The lists.

_NAME = names.name_of(7)
_NAMES = _text(
    _NAME, "", inside=(names.RARE, names.MANY), start=(f"{names.RARE}-", "vision-"),
    end=("-000007", "7"),
)  # fmt: skip
_CREATORS = _text(
    names.SOMEBODY, "terraform", inside=("abe0", "acme"), start=("ana.abe0", "ana"),
    end=("abe0@acme.example", ".example"),
)  # fmt: skip
_BY_ADMINISTRATOR = _text(
    names.SOMEBODY, names.ADMINISTRATOR, inside=("abe0", "admin"), start=("ana.abe0", "alex"),
    end=("abe0@acme.example", ".com"),
)  # fmt: skip
_SHORT = {"one character": "q", "two characters": "ia", "two characters, none": "qq"}
_SEARCHES = {
    "few": names.RARE, "many": names.MANY, "none": names.NONE,
    "an address": names.SOMEBODY, "all addresses": "acme.example", **_SHORT,
}  # fmt: skip


def _applications() -> ListValues:
    from applications.models import Application

    rows = Application.objects.all()
    return ListValues(
        {
            "name": _NAMES, "clientId": _NAMES, "enabled": _flag("false", "true"),
            "createdBy": _CREATORS, "createdAt": _time(rows, "created_at"),
            "updatedAt": _time(rows, "updated_at"),
            "lastLogin": _time(rows, "last_login", is_nullable=True),
            "owner": _or_null(_BY_ADMINISTRATOR), "description": _word("nightly", "training"),
            "labels": {
                "==": _by_matches("team=growth", "env=prod"),
                "!=": _by_matches("team=growth", "env=prod"),
                "=^": _by_matches("team=growth", "env="),
            },
            "secretCount": _number(few=2, many=1),
            "oldestSecretAt": _time(rows, "oldest_secret_at", is_nullable=True),
            "nextSecretExpiry": _time(rows, "next_secret_expiry", is_nullable=True),
            "containedAt": _time(rows, "contained_at", is_nullable=True),
            "dormancy": _or_null(_word("disabled", "warned")),
        },
        searches={**_SEARCHES, "names": "vision"},
        common="createdBy==terraform", exact=f"name=={_NAME}",
        detail=str(names.id_of(7)),
        # An application changes within 30 days after its creation.
        disjoint=(
            (f"createdAt<={_after_start(0.2)}", f"updatedAt>={_after_start(0.3)}"),
            (f"createdAt>={_after_start(0.2)}", f"name=@{_first_tenth()}"),
        ),
    )  # fmt: skip


def _deleted() -> ListValues:
    from applications.models import DeletedApplication

    rows = DeletedApplication.objects.all()
    return ListValues(
        {
            "name": _NAMES, "createdBy": _CREATORS, "createdAt": _time(rows, "created_at"),
            "deletedBy": _BY_ADMINISTRATOR, "deletedAt": _time(rows, "deleted_at"),
        },
        searches=_SEARCHES, common=f"deletedBy=={names.ADMINISTRATOR}", exact=f"name=={_NAME}",
    )  # fmt: skip


def _rules() -> ListValues:
    from accessrules.models import AccessRule, Role

    rows = AccessRule.objects.living()
    deleted = AccessRule.objects.exclude(deleted_at=None)
    roles = dict(Role.objects.values_list("name", "pk"))
    cluster, account, project = (
        _scope(name) for name in ("cluster-001", "acme", "vision-lab-0000")
    )
    some = ",".join(names.name_of(number) for number in range(50))
    viewer = roles["Viewer"]
    return ListValues(
        {
            **_grants(),
            "createdAt": _time(rows, "created_at"),
            "deletedAt": _time(deleted, "deleted_at", is_nullable=True),
            "expiresAt": _time(rows, "expires_at", is_nullable=True),
            "createdBy": _BY_ADMINISTRATOR,
        },
        parameters={
            "subjectType": {"few": "group", "many": "app", "alias": "service-account"},
            "subjectIds": {"few": _NAME, "fifty": some, "none": names.NONE},
            "subjectIdFilter": {"few": names.RARE, "many": names.MANY, "none": names.NONE},
            "scopeType": {"few": "tenant", "many": "project"},
            "scopeId": {"few": project, "many": account, "none": _NO_UUID},
            "roleId": {
                "few": str(roles["Department administrator"]), "many": str(viewer),
                "none": str(roles["Research manager"]),
            },
            "clusterId": {"many": cluster, "none": _NO_UUID},
            "lastUpdated": {"few": _after_start(0.9999), "many": _after_start(0.5), "none": _LATE},
            "includeDeleted": {"true": "true"},
        },
        searches={
            **_SEARCHES, "names and scopes": "vision", "a scope's name": "lab-2500",
            "all scopes' names": "-lab-", "a role's name": "Department administrator",
        },
        common="roleName==Viewer", exact=f"subjectId=={_NAME}",
        detail=str(rows.filter(subject=names.id_of(7)).values_list("pk", flat=True).first() or 0),
        disjoint=(
            (f"createdAt>={_after_start(0.2)}", f"subjectId=@{_first_tenth()}"),
            ("subjectType==app", "createdBy!=" + names.ADMINISTRATOR),
        ),
    )  # fmt: skip


def _grants() -> dict[str, Operators]:
    """Return the values of the fields of the caller's own access rules."""
    from accessrules.models import Role

    roles = dict(Role.objects.values_list("name", "pk"))
    account, project = _scope("acme"), _scope("vision-lab-0000")
    return {
        "subjectId": _NAMES,
        "subjectType": _word("group", "app"),
        "roleId": _number(roles["Department administrator"], roles["Viewer"]),
        "roleName": _text(
            "Department administrator", "Viewer", inside=("administrator", "er"),
            start=("Dep", "View"), end=("administrator", "er"),
        ),
        "scopeId": _text(
            project, account, inside=(project[2:-2], "-4"), start=(project[:6], "a"),
            end=(project[-6:], "a"),
        ),
        "scopeType": _word("tenant", "project"),
        "scopeName": _text(
            "vision-lab-0000", "acme", inside=("lab-2500", "lab"), start=("vision-lab-0", "vision"),
            end=("-2500", "0"),
        ),
    }  # fmt: skip


def _mine() -> ListValues:
    return ListValues(
        _grants(),
        searches={"few": "lab-0100", "many": "lab", "none": names.NONE, **_SHORT},
        common="roleName==Viewer",
    )


def _permissions() -> ListValues:
    values = _text("projects", "", inside=("roject", "e"), start=("proj", "a"), end=("jects", "s"))
    return ListValues(
        dict.fromkeys(("resourceType", "displayName", "groupId"), values),
        searches={"few": "projects", "many": "e", "none": names.NONE},
    )


def _roles() -> ListValues:
    from accessrules.models import Role

    rows = Role.objects.all()
    role = Role.objects.get(name="Viewer")
    return ListValues(
        {
            "id": _number(role.pk, 100),
            "name": _text(
                "Viewer", "", inside=("iew", "er"), start=("View", "L"), end=("wer", "r")
            ),
            "createdBy": _word(role.created_by, ""),
            "createdAt": _time(rows, "created_at"), "updatedAt": _time(rows, "updated_at"),
        },
        searches={"few": "viewer", "many": "er", "none": names.NONE},
        common="name=@er", exact="name==Viewer", detail=str(role.pk),
    )  # fmt: skip


def _users() -> ListValues:
    from runai_access.accounts.models import User

    rows = User.objects.all()
    return ListValues(
        {
            "username": _text(
                names.SOMEBODY, "", inside=("ana.abe0", "acme"), start=("ana.abe0", "a"),
                end=("abe0@acme.example", ".example"),
            ),
            "createdBy": _word("system", names.ADMINISTRATOR),
            "creationTime": _time(rows, "created_at"), "lastUpdated": _time(rows, "updated_at"),
            "lastLogin": _time(rows, "last_login", is_nullable=True),
            "isLocal": _flag("false", "true"), "type": _word("", "local"),
        },
        parameters={"filter": {"many": "runai.is_local:true", "none": "runai.is_local:false"}},
        searches={"few": "ana.abe0", "many": "acme", "none": names.NONE, **_SHORT},
        common="username=@acme", exact=f"username=={names.SOMEBODY}",
        detail=str(getattr(rows.filter(email=names.SOMEBODY).first(), "pk", _NO_UUID)),
    )  # fmt: skip


def _scopes(level: str) -> ListValues:
    from accessrules.models import Scope

    rows = Scope.objects.filter(type=level).order_by("pk")
    scope = rows.first() or Scope(name=names.scope_name(level, 0), uid=_NO_UUID)
    cluster = _scope("cluster-001")
    ids = _text(cluster, "", inside=(cluster[2:-2], "-4"), start=(cluster[:6], "a"), end=("a", ""))
    department = _scope("department-001")
    parents = _text(
        department, "", inside=(department[2:-2], "-4"), start=(department[:6], "a"), end=("a", "")
    )
    verbosity = "metadata" if level == "cluster" else "meta"
    return ListValues(
        {
            "name": _text(
                scope.name, "", inside=(scope.name[2:], "-"), start=(scope.name[:-2], scope.name[:2]),
                end=(scope.name[-3:], "0"),
            ),
            "createdAt": _time(rows, "created_at"), "updatedAt": _time(rows, "updated_at"),
            "createdBy": _word("system", names.ADMINISTRATOR),
            "clusterId": ids, "departmentId": parents, "parentId": parents,
            "parentName": _text(
                "department-001", "", inside=("ment-01", "department"), start=("department-01", "dep"),
                end=("-001", "1"),
            ),
        },
        parameters={
            "verbosity": {"few": verbosity}, "includeRequestedForDelete": {"many": "true"},
        },
        searches={
            "few": scope.name, "many": "lab" if level == "project" else level[:4],
            "none": names.NONE, **_SHORT,
        },
        common=f"name=@{'lab' if level == 'project' else level}",
        exact=f"name=={scope.name}", detail=scope.uid,
    )  # fmt: skip


def _events() -> ListValues:
    from runai_access.audit.models import AuditEvent

    rows = AuditEvent.objects.all()
    key = str(names.id_of(7))
    return ListValues(
        {
            "timestamp": _time(rows, "time"),
            "subject": _CREATORS,
            "subject_type": _word("App", "User"),
            "source_ip": _or_null(
                _text(
                    "10.0.7.7", "", inside=("0.7.7", "10.0"), start=("10.0.7.7", "10."),
                    end=(".7.7", "7"),
                )
            ),
            "action": _word("update", "create"),
            "http_method": _word("DELETE", "POST"),
            "result": _word("Failed", "Succeeded"),
            # The server's own URL is only known to the server.
            "url": _text(
                "", "", inside=("/users", "s/"), start=("", "http"), end=("/users/", "s/")
            ),
            "entity_type": _word("user", "access_rule"),
            "entity_name": _text(
                _NAME, "", inside=(names.RARE, "is Viewer"), start=(names.RARE, "vision"),
                end=("-000007", "Viewer"),
            ),
            "entity_id": _text(key, "", inside=(key[2:-2], "-4"), start=(key[:8], "a"), end=("a", "")),
        },
        parameters={"numberOfSamples": {"fifty": "50"}},
        searches={**_SEARCHES, "names": "vision"},
        always={"start": _as_text(names.START), "end": _LATE},
        common="action==create", exact=f"entity_name=={_NAME}",
        disjoint=(
            ("action==sign-in", "entity_type==access_rule"),
            ("action==create", "entity_type==user"),
        ),
    )  # fmt: skip


def _first_tenth() -> str:
    from applications.models import Application

    return names.first_tenth(Application.objects.count())


def _scope(name: str) -> str:
    from accessrules.models import Scope

    return Scope.objects.filter(name=name).values_list("uid", flat=True).first() or _NO_UUID
