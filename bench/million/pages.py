"""The other pages with two million access rules, five million events and 5,000 projects."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from bench.million.names import DEPARTMENT_ADMINISTRATOR, MANY, NONE, RARE, first_tenth
from bench.million.rows import LIMITS, ROWS, WORST, WORST_LIMIT, Row, View
from bench.million.running import Bench

RULE_COLUMNS = (
    "subject", "type", "role", "scope", "authorized_by", "creation_time", "last_updated",
)  # fmt: skip

_Queries = dict[str, dict[str, Any]]


def measure(bench: Bench) -> list[Row]:
    rows = bench.measure("rules", _views(bench, "/access-rules/", _rules()))
    rows += bench.measure("activity", _views(bench, "/activity/", _activity()))
    rows += bench.measure("dialogs", _addressed(bench, _dialogs()))
    rows += bench.measure("scopes", _addressed(bench, _scopes()))
    bench.sign_in(DEPARTMENT_ADMINISTRATOR)
    rows += bench.measure("department administrator", _of_department(bench))
    bench.sign_in()
    return rows


def _views(bench: Bench, path: str, queries: _Queries) -> Iterator[View]:
    for name, query in queries.items():
        address = f"{path}?{urlencode({**query, 'size': ROWS}, doseq=True)}"
        is_worst = name == WORST
        limit = WORST_LIMIT if is_worst else LIMITS[bench.database]
        yield View(f"{path.strip('/')}: {name}", address, limit, can_grow=is_worst)


def _addressed(bench: Bench, addresses: Mapping[str, str]) -> Iterator[View]:
    for name, address in addresses.items():
        yield View(name, address, LIMITS[bench.database])


def _rules() -> _Queries:
    from accessrules.models import Role, Scope
    from applications.models import Application

    applications = Application.objects.count()
    role = {name: str(pk) for name, pk in Role.objects.values_list("name", "pk")}
    scope = {name: str(pk) for name, pk in Scope.objects.values_list("name", "pk")}
    queries: _Queries = {
        "first page": {}, "last page": {"page": "last"}, "page 100": {"page": "100"},
    }  # fmt: skip
    for column in RULE_COLUMNS:
        for sign, word in (("", "up"), ("-", "down")):
            sort = {"sort": f"{sign}{column}"}
            queries[f"sort by {column}, {word}"] = sort
            queries[f"sort by {column}, {word}, last"] = {**sort, "page": "last"}
    return queries | {
        "search, many hits": {"search": MANY},
        "search, few hits": {"search": RARE},
        "search, no hit": {"search": NONE},
        "search, a scope's name": {"search": "lab-2500"},
        "search, a role's name": {"search": "Department administrator"},
        "search, names and scopes": {"search": "vision"},
        "search, names and scopes, last page": {"search": "vision", "page": "last"},
        "search, names and scopes, by subject": {"search": "vision", "sort": "subject"},
        "search, all scopes' names": {"search": "-lab-"},
        "role, many": {"role__any_of": role["Viewer"]},
        "role, fewer": {"role__any_of": role["Department administrator"]},
        "role, none": {"role__any_of": role["Research manager"]},
        "role, many, by subject": {"role__any_of": role["Viewer"], "sort": "subject"},
        "scope": {"scope__any_of": scope["vision-lab-0000"]},
        "scope, many": {"scope__any_of": scope["acme"]},
        "scope and below": {"scope__within": scope["cluster-001"]},
        "type, many": {"type__any_of": "app"},
        "type, few": {"type__any_of": "user"},
        "subject contains": {"subject__contains": RARE},
        "subject starts with": {"subject__starts_with": "vision-"},
        "authorized by": {"authorized_by__is": "alex.admin@example.com"},
        "time, many": {"creation_time__after": "2024-06-01"},
        "time, few": {"creation_time__before": "2024-01-01"},
        "role and search": {"role__any_of": role["Viewer"], "search": MANY},
        "role and search, few": {"role__any_of": role["Editor"], "search": RARE},
        WORST: {
            "creation_time__after": "2024-06-01", "subject__contains": first_tenth(applications),
        },
    }  # fmt: skip


def _activity() -> _Queries:
    from bench.million.names import id_of, name_of

    application, user = name_of(500), "ana.abe0@acme.example"
    return {
        "first page": {},
        "last page": {"page": "last"},
        "page 100": {"page": "100"},
        "action": {"action__any_of": "sign-in"},
        "action, none": {"action__any_of": "delete"},
        "two actions": {"action__any_of": ["regenerate-secret", "delete"]},
        "result": {"result__is": "Failed"},
        "entity": {"entity__is": application},
        "entity type": {"entity_type__any_of": "access_rule"},
        "subject, many": {"subject__is": "terraform"},
        "subject, few": {"subject__is": user},
        "source address": {"source_ip__is": "10.0.7.7"},
        "history": {"history__is": f"application:{id_of(500)}"},
        "time": {"time__since": "2025-06-01T00:00", "time__until": "2025-06-02T00:00"},
        "action and result": {"action__any_of": "regenerate-secret", "result__is": "Failed"},
        "subject and action": {"subject__is": "terraform", "action__any_of": "create"},
        "action and result, last page": {
            "action__any_of": "create", "result__is": "Succeeded", "page": "last",
        },
        "search, many hits": {"search": MANY},
        "search, few hits": {"search": RARE},
        "search, no hit": {"search": NONE},
        "search, names": {"search": "vision"},
        WORST: {"action__any_of": "sign-in", "entity_type__any_of": "access_rule"},
        "search and action": {"search": MANY, "action__any_of": "create"},
    }  # fmt: skip


def _dialogs() -> dict[str, str]:
    from accessrules.models import AccessRule, Role
    from bench.million.names import id_of
    from runai_access.audit.models import AuditEvent

    one = f"/applications/{id_of(500)}/"
    rule = AccessRule.objects.filter(subject=id_of(500)).values_list("pk", flat=True)[0]
    role = Role.objects.get(name="Viewer").pk
    selected = "&".join(f"selected={id_of(number)}" for number in range(500, 510))
    event = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True)[0]
    return {
        "overview": "/overview/",
        "overview by the API": "/api/v1/overview",
        "an application's page": one,
        "what an application can do": f"/access/subjects/{id_of(500)}/",
        "new application": "/applications/new/",
        "access rules of an application": f"{one}access-rules/",
        "access rules of an application, adding": f"{one}access-rules/?add=1",
        "regenerate": f"{one}regenerate/",
        "disable": f"{one}disable/",
        "delete an application": f"{one}delete/",
        "delete ten applications": f"/applications/bulk/delete/?{selected}",
        "add a rule to ten applications": f"/applications/bulk/add-rule/?{selected}",
        "columns": "/applications/columns/",
        "filter": "/applications/filter/",
        "filter by role": "/applications/filter/?column=role",
        "filter by scope": "/applications/filter/?column=scope",
        "filter by scope, searching": "/applications/filter/?column=scope&find=lab-25",
        "filter by creator": "/applications/filter/?column=created_by",
        "filter by action": "/activity/filter/?column=action",
        "filter by entity type": "/activity/filter/?column=entity_type",
        "download": "/applications/download/",
        "download a search": f"/applications/download/?search={MANY}",
        "new access rule": "/access-rules/new/",
        "new access rule, a subject found": f"/access-rules/new/?find_subject={RARE}",
        "delete a rule": f"/access-rules/{rule}/delete/",
        "an event": f"/activity/{event}/",
        "roles": "/roles/",
        "a role with many rules": f"/roles/{role}/",
        "users": "/users/",
        "users, by status": "/users/?sort=status",
        "groups": "/groups/",
        "own page": "/account/",
    }


def _scopes() -> dict[str, str]:
    from accessrules.models import Scope

    scope = dict(Scope.objects.values_list("name", "pk"))
    cluster, department = scope["cluster-001"], scope["department-001"]
    return {
        "scopes": "/scopes/",
        "scopes, a branch open": f"/scopes/?open={cluster}&open={department}",
        "scopes, search": "/scopes/?search=lab-25",
        "scopes, search, all": "/scopes/?search=lab",
        "new scope": "/scopes/new/",
        "move a scope": f"/scopes/{scope['vision-lab-0000']}/move/",
        "delete a scope": f"/scopes/{scope['vision-lab-0000']}/delete/",
        "who can do what in a project": f"/access/scopes/{scope['vision-lab-0000']}/",
        "who can do what in a cluster": f"/access/scopes/{cluster}/",
        "who can do what in the account": f"/access/scopes/{scope['acme']}/",
    }


def _of_department(bench: Bench) -> Iterator[View]:
    from accessrules.models import Role

    role = Role.objects.get(name="Viewer").pk
    applications, rules = f"/applications/?size={ROWS}", f"/access-rules/?size={ROWS}"
    addresses = {
        "their applications": applications,
        "their applications, last page": f"{applications}&page=last",
        "their applications, by name": f"{applications}&sort=application",
        "their applications, search": f"{applications}&search={MANY}",
        "their applications, role": f"{applications}&role__any_of={role}",
        "their access rules": rules,
        "their access rules, search": f"{rules}&search={MANY}",
        "their access rules, by scope": f"{rules}&sort=scope",
        "their users": "/users/",
        "their groups": "/groups/",
        "their groups, search": "/groups/?search=a",
        "their scopes": "/scopes/",
        "their new access rule": "/access-rules/new/",
    }
    yield from _addressed(bench, addresses)
    # These test or sort all applications of the department: one of a hundred.
    whole = {
        "their applications, by access rules": f"{applications}&sort=access_rules",
        "their applications, search, a role's name": f"{applications}&search=viewer",
        "their applications, search, names and scopes": f"{applications}&search=vision",
        "their applications, search, one character": f"{applications}&search=q",
    }
    for name, address in whole.items():
        yield View(name, address, WORST_LIMIT, can_grow=True)
