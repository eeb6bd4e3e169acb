"""Users, groups, deleted access rules, and the applications that call the API.

    DATABASE_URL=… python -m bench.million.people 1000000     if only these are missing

They are not part of `data.build`, because the golden files record the pages without them.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bench.million import names

if TYPE_CHECKING:
    from accessrules.models import AccessRule

API_ADMINISTRATOR, API_DEPARTMENT = "bench-administrator", "bench-department"
API_MANY_RULES = "bench-many-rules"
# Access rules of the application that lists its own.
OWN_RULES = 1_000
# One user for 100 applications, one group for 1,000, and one deleted access rule for 50.
USER_EVERY, GROUP_EVERY, DELETED_EVERY = 100, 1_000, 50
MEMBERS = 5
_BATCH_SIZE = 2_000


def exist() -> bool:
    """Return whether the database contains them."""
    from accessrules.models import Subject

    return Subject.objects.filter(type=Subject.Type.APP, name=API_ADMINISTRATOR).exists()


def build(size: int) -> None:
    """Add them to the data of `size` applications."""
    from django.db import connection, transaction

    from accessrules.models import Role, Scope

    def scopes(kind: Scope.Type) -> list[int]:
        return list(Scope.objects.filter(type=kind).order_by("pk").values_list("pk", flat=True))

    grants = _Grants(
        roles=dict(Role.objects.values_list("name", "pk")),
        projects=scopes(Scope.Type.PROJECT),
        department=scopes(Scope.Type.DEPARTMENT)[0],
        account=scopes(Scope.Type.TENANT)[0],
    )
    with transaction.atomic():
        _make_users(size // USER_EVERY, grants)
        _make_groups(max(size // GROUP_EVERY, 10), grants)
        _make_deleted(size, grants)
        _make_callers(grants)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def token_of(name: str, url: str) -> str:
    """Return a new token of an application that calls the API, for the server with this URL."""
    from django.test import override_settings

    from applications.models import Application
    from applications.oauth.tokens import issue

    application = Application.objects.select_related("subject").get(
        subject__name=name, subject__type="app"
    )
    with override_settings(PUBLIC_URL=url):
        return issue(application).text


@dataclass(frozen=True)
class _Grants:
    """The roles and scopes of new access rules."""

    roles: dict[str, int]
    projects: list[int]
    department: int
    account: int
    _chance: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311  # not a secret

    def rule(self, subject_id: Any, role: str, scope: int, made: datetime) -> "AccessRule":
        from accessrules.models import AccessRule

        return AccessRule(
            subject_id=subject_id, role_id=self.roles[role], scope_id=scope,
            created_by=names.creator_of(self._chance), created_at=made, updated_at=made,
        )  # fmt: skip

    def in_any_project(self, subject_id: Any, made: datetime) -> "AccessRule":
        (role,) = self._chance.choices(list(names.ROLES), weights=tuple(names.ROLES.values()))
        return self.rule(subject_id, role, self._chance.choice(self.projects), made)


def _times(number: int) -> Iterator[datetime]:
    """Yield `number` times, evenly distributed."""
    for place in range(number):
        yield names.START + timedelta(days=names.DAYS) * (place / number)


def _save(model: Any, rows: Sequence[Any]) -> None:
    model.objects.bulk_create(rows, batch_size=_BATCH_SIZE)


def _make_users(number: int, grants: _Grants) -> None:
    from accessrules.models import AccessRule, Subject
    from runai_access.accounts.models import User, search_text_of

    subjects, users, rules = [], [], []
    for place, made in enumerate(_times(number)):
        email = names.email_of(place)
        subject = Subject(type=Subject.Type.USER, name=email, enabled=place % 25 != 0)
        subjects.append(subject)
        users.append(
            User(
                subject=subject, email=email, created_by=names.ADMINISTRATOR,
                search_text=search_text_of(email, names.ADMINISTRATOR), created_at=made,
                updated_at=made + timedelta(days=place % 30),
                last_login=made + timedelta(days=1) if place % 10 < 7 else None,
            )
        )  # fmt: skip
        rules.append(grants.in_any_project(subject.pk, made))
    _save(Subject, subjects)
    _save(User, users)
    _save(AccessRule, rules)


def _make_groups(number: int, grants: _Grants) -> None:
    from accessrules.models import AccessRule, GroupMembership, Subject

    users = list(Subject.objects.filter(type=Subject.Type.USER).order_by("name")[: 10 * number])
    groups = [
        Subject(type=Subject.Type.GROUP, name=names.group_name(place)) for place in range(number)
    ]
    _save(Subject, groups)
    _save(
        GroupMembership,
        [
            GroupMembership(group=group, member=users[(MEMBERS * place + nth) % len(users)])
            for place, group in enumerate(groups)
            for nth in range(MEMBERS)
        ],
    )
    times = zip(groups, _times(number), strict=True)
    _save(AccessRule, [grants.in_any_project(group.pk, made) for group, made in times])


def _make_deleted(size: int, grants: _Grants) -> None:
    """Create the access rules that applications had before."""
    from accessrules.models import AccessRule

    rules = []
    numbers = range(0, size, DELETED_EVERY)
    for number, made in zip(numbers, _times(len(numbers)), strict=True):
        rule = grants.in_any_project(names.id_of(number), made)
        rule.deleted_at = rule.updated_at = made + timedelta(days=10)
        rules.append(rule)
    _save(AccessRule, rules)


def _make_callers(grants: _Grants) -> None:
    from django.conf import settings

    from accessrules.models import AccessRule, Subject
    from applications.models import Application, ClientSecret, search_text_of
    from applications.oauth.secrets import new_id
    from runai_access.security.hashing import unmatched_hash

    made = names.START
    rules = []
    for name in (API_ADMINISTRATOR, API_DEPARTMENT, API_MANY_RULES):
        subject = Subject.objects.create(type=Subject.Type.APP, name=name)
        application = Application.objects.create(
            subject=subject, created_by="bench", search_text=search_text_of(name, "bench"),
            created_at=made, updated_at=made, token_lifetime=settings.TOKEN_LIFETIME_MAX_SECONDS,
        )  # fmt: skip
        # A token names the secret that it was obtained with.
        ClientSecret.objects.create(
            id=new_id(), application=application, secret_hash=unmatched_hash(), created_by="bench"
        )
        if name == API_ADMINISTRATOR:
            rules.append(grants.rule(subject.pk, "System administrator", grants.account, made))
        elif name == API_DEPARTMENT:
            rules.append(
                grants.rule(subject.pk, "Department administrator", grants.department, made)
            )
        else:
            rules += [
                grants.rule(subject.pk, "Viewer", scope, made)
                for scope in grants.projects[:OWN_RULES]
            ]
    _save(AccessRule, rules)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")

    django.setup()
    build(int(sys.argv[1]))
