"""The data: applications with two access rules each in 5,000 projects, and five audit events each.

Users, groups and the callers of the API are in `people`.

The data is the same every time.

    DATABASE_URL=… python -m bench.million.data 1000000

Loads it in bulk into an empty database: indexes and triggers are dropped first and created again at the
end. An administrator and a department administrator can sign in; see `names`.
"""

import random
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bench.million import events, people
from bench.million.names import (
    ADMINISTRATOR,
    CLUSTERS,
    DAYS,
    DEPARTMENT_ADMINISTRATOR,
    DEPARTMENTS,
    PASSWORD,
    PROJECTS,
    ROLES,
    RULES_EACH,
    START,
    creator_of,
    id_of,
    name_of,
    scope_name,
)


def build(size: int) -> None:
    """Fill the database."""
    from django.core.management import call_command
    from django.db import connection

    from applications import triggers
    from bench.million.loading import loader

    call_command("migrate", verbosity=0)
    scopes = _make_scopes()
    _make_users(scopes)
    triggers.remove(connection)
    load = loader(
        "accessrules_subject", "applications_application", "accessrules_accessrule",
        "applications_search",
    )  # fmt: skip
    applications = (
        "subject_id credential_id search_text created_by created_at updated_at "
        "last_login is_enabled"
    )
    rules = "subject_id role_id scope_id created_by created_at updated_at application_created_at"
    for table, columns, rows in (
        ("accessrules_subject", "id type name normalized_name enabled", _subjects(size)),
        ("applications_application", applications, _applications(size)),
        ("accessrules_accessrule", rules, _rules(size, scopes, _roles())),
    ):
        load.rows(table, columns.split(), rows)
    load.make_indexes("accessrules_subject", "accessrules_accessrule")
    triggers.install(connection)
    triggers.rebuild(connection)  # reads these two, and rewrites every application and rule
    load.make_indexes("applications_application", "applications_search")
    load.end("applications_application", "accessrules_accessrule")
    events.build(size)


def _subjects(size: int) -> Iterator[tuple[Any, ...]]:
    for number in range(size):
        name = name_of(number)
        yield id_of(number), "app", name, name, number % 25 != 0


def _applications(size: int) -> Iterator[tuple[Any, ...]]:
    from applications.models import search_text_of

    chance = random.Random(1)  # noqa: S311  # not a secret
    for number in range(size):
        creator = creator_of(chance)
        made = _creation_of(number, size)
        changed = made + timedelta(seconds=chance.randrange(30 * 86_400))
        login = START + timedelta(seconds=chance.randrange(DAYS * 86_400))
        yield (
            id_of(number), id_of(-number - 1), search_text_of(name_of(number), creator),
            creator, made, changed, login if chance.random() < 0.7 else None, number % 25 != 0,
        )  # fmt: skip


def _creation_of(number: int, size: int) -> datetime:
    """Return the creation time of an application, roughly in the order of numbers."""
    return START + timedelta(days=DAYS * number / size, seconds=number * 7_919 % 600)


def _roles() -> list[int]:
    from accessrules.models import Role

    ids = dict(Role.objects.values_list("name", "pk"))
    return [ids[name] for name in ROLES]


def _rules(size: int, scopes: list[list[int]], roles: list[int]) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(2)  # noqa: S311  # not a secret
    account, clusters, departments, projects = scopes
    for number in range(size):
        subject = id_of(number)
        given: set[tuple[int, int]] = set()
        while len(given) < RULES_EACH:
            (places,) = chance.choices(
                (projects, departments, clusters, account), weights=(800, 150, 40, 10)
            )
            (role,) = chance.choices(roles, weights=tuple(ROLES.values()))
            given.add((role, chance.choice(places)))
        for role, scope in given:
            made = START + timedelta(days=DAYS * number / size)
            yield subject, role, scope, ADMINISTRATOR, made, made, _creation_of(number, size)


def _make_scopes() -> list[list[int]]:
    """Create the tree of scopes and return the keys by level."""
    from accessrules.models import Scope

    random.seed(3)
    above = [Scope.objects.get(type=Scope.Type.TENANT)]
    levels = [[above[0].pk]]
    for word, count in (
        ("cluster", CLUSTERS), ("department", DEPARTMENTS), ("project", PROJECTS),
    ):  # fmt: skip
        made = [
            Scope.below(
                above[n % len(above)], name=scope_name(word, n), created_by=ADMINISTRATOR,
                uid=str(uuid.UUID(int=random.getrandbits(128))),  # not a secret
            )
            for n in range(count)
        ]  # fmt: skip
        above = Scope.objects.bulk_create(made, batch_size=500)
        levels.append([scope.pk for scope in above])
    return levels


def _make_users(scopes: list[list[int]]) -> None:
    from accessrules.authorization.callers import SYSTEM
    from accessrules.models import AccessRule, Role, Subject
    from runai_access.accounts.actions import make_administrator
    from runai_access.accounts.models import User

    make_administrator(caller=SYSTEM, email=ADMINISTRATOR, password=PASSWORD)
    subject = Subject.objects.create(type=Subject.Type.USER, name=DEPARTMENT_ADMINISTRATOR)
    user = User(subject=subject, email=DEPARTMENT_ADMINISTRATOR, created_by="bench")
    user.set_password(PASSWORD)
    user.save(force_insert=True)
    AccessRule.objects.create(
        subject=subject, role=Role.objects.get(name="Department administrator"),
        scope_id=scopes[2][0], created_by="bench",
    )  # fmt: skip


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")

    django.setup()
    build(int(sys.argv[1]))
    people.build(int(sys.argv[1]))
