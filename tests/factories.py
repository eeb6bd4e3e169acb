"""Test data: each function creates one object directly in the database.

Nothing here checks a permission or writes an audit row, so a test sees only what its own step does.
"""

import zlib
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from accessrules.authorization.authority import ACCOUNT
from accessrules.authorization.callers import Caller
from accessrules.authorization.catalog import PREDEFINED_ROLES
from accessrules.models import AccessRule, GroupMembership, Role, Scope, Subject
from applications.models import (
    Application,
    ClientSecret,
    DeletedApplication,
    DeletedRule,
    search_text_of,
)
from applications.oauth import secrets
from applications.oauth.secrets import id_of, new_id, new_secret
from runai_access.accounts.models import User
from runai_access.audit.recorder import Origin
from runai_access.security.hashing import hash_secret, unmatched_hash

MAKER = "maker@acme.example"
# An id that no row has. Parametrized tests need a fixed one: the processes of a run must collect the
# same tests, so the name of a test can't contain a random value.
UNKNOWN_ID = "7d1c2f4e-5b0a-4c39-9d67-2f8e6a1b3c50"

_PREDEFINED = {role.name: role.id for role in PREDEFINED_ROLES}

Holder = Subject | User | Application
Grants = tuple[str, Scope]
"""A role name and a scope."""


def person(
    email: str, role: str | None = None, scope: Scope | None = None, *, password: str = ""
) -> User:
    """Create a user, optionally with a role in a scope (default: the account)."""
    subject = Subject.objects.create(type=Subject.Type.USER, name=email)
    user = User(subject=subject, email=email, created_by=MAKER)
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.save(force_insert=True)
    if role:
        rule(user, role, scope or account())
    return user


def system_person() -> Subject:
    """Return the subject of an administrator, for tests that need any caller."""
    found = Subject.objects.filter(type=Subject.Type.USER, name="somebody@acme.example").first()
    return found or person("somebody@acme.example", "System administrator").subject


def application(name: str, *rules: Grants, secret: str = "") -> Application:
    """Create an application with these rules. Without `secret`, nobody knows its client secret."""
    made = Application.objects.create(
        subject=Subject.objects.create(type=Subject.Type.APP, name=name), created_by=MAKER
    )
    made.used_secret = client_secret(made, secret)
    for role_name, scope in rules:
        rule(made, role_name, scope)
    return made


def client_secret(application: Application, secret: str = "", **fields: Any) -> ClientSecret:
    """Create a client secret with this text; without a text, one that nobody knows."""
    return ClientSecret.objects.create(
        id=id_of(secret) or new_id(),
        application=application,
        secret_hash=hash_secret(secret) if secret else unmatched_hash(),
        has_old_format=bool(secret) and not id_of(secret),
        **{"created_by": MAKER, **fields},
    )


def hash_of(application: Application) -> str:
    """Return the stored hash of an application's only live secret, or "" if it has none."""
    hashes = application.secrets.live().values_list("secret_hash", flat=True)
    assert len(hashes) < 2
    return next(iter(hashes), "")


def old_secret() -> str:
    """Return a new client secret in the format of 0.1.0, which has no ID."""
    random = new_secret().split("_")[2]
    body = f"ras_{random[:43]}"
    return body + secrets._base62(zlib.crc32(body.encode()), 6)


def many_applications(number: int, *rules: Grants) -> list[Application]:
    """Create `number` applications with these rules each, in bulk and without client secrets."""
    first = Subject.objects.count()
    return named_applications([f"many-{first + n:05}" for n in range(number)], *rules)


def named_applications(names: Iterable[str], *rules: Grants) -> list[Application]:
    """Create applications with these rules each, in bulk and without client secrets."""
    subjects = Subject.objects.bulk_create(
        Subject(type=Subject.Type.APP, name=name) for name in names
    )
    made = Application.objects.bulk_create(
        Application(
            subject=subject, search_text=search_text_of(subject.name, MAKER), created_by=MAKER
        )
        for subject in subjects
    )
    AccessRule.objects.bulk_create(
        AccessRule(subject=subject, role_id=role_id(role_name), scope=scope, created_by=MAKER)
        for role_name, scope in rules
        for subject in subjects
    )
    return made


def deleted_application(name: str, *rules: Grants, deleted_by: str = MAKER) -> DeletedApplication:
    """Create an application that was deleted with these rules and can be restored."""
    now = timezone.now()
    subject = Subject.objects.create(
        type=Subject.Type.APP, name=name, enabled=False, retired_at=now
    )
    kept = [DeletedRule(role_id(role), role, scope.pk, scope.label, None) for role, scope in rules]
    return DeletedApplication.objects.create(
        subject=subject, name=name, was_enabled=True, rules=kept, created_by=MAKER,
        created_at=now, deleted_by=deleted_by, deleted_at=now,
    )  # fmt: skip


def group(name: str, *members: Holder) -> Subject:
    """Create a group with these members."""
    made = Subject.objects.create(type=Subject.Type.GROUP, name=name)
    for member in members:
        GroupMembership.objects.create(group=made, member=subject_of(member))
    return made


def rule(holder: Holder, role_name: str, scope: Scope) -> AccessRule:
    """Create an access rule."""
    return AccessRule.objects.create(
        subject=subject_of(holder), role_id=role_id(role_name), scope=scope, created_by=MAKER
    )


def role_id(name: str) -> int:
    """Return the id of a role by name, without a query for a predefined one."""
    return _PREDEFINED.get(name) or role(name).pk


def role(name: str) -> Role:
    """Return a role by name."""
    return Role.objects.get(name=name)


def custom_role(name: str, **permissions: str) -> Role:
    """Create a role with these permissions only: `custom_role("Reader", apps="r")`."""
    return Role.objects.create(
        id=900_000 + Role.objects.count(), name=name, permissions=permissions, created_by=MAKER
    )


def system() -> Scope:
    """Return the `system` scope, the parent of the account."""
    return Scope.objects.get(type=Scope.Type.SYSTEM)


def account() -> Scope:
    """Return the account."""
    return Scope.objects.get(path=ACCOUNT.path)


def cluster(name: str) -> Scope:
    """Create a cluster in the account."""
    return _below(account(), name)


def department(name: str, in_cluster: Scope) -> Scope:
    """Create a department in a cluster."""
    return _below(in_cluster, name)


def project(name: str, in_department: Scope, **fields: Any) -> Scope:
    """Create a project in a department."""
    return _below(in_department, name, **fields)


def caller(holder: Holder, address: str | None = None) -> Caller:
    """Return the caller for `holder`, re-read from the database."""
    subject = Subject.objects.get(pk=subject_of(holder).pk)
    return Caller(subject, Origin(address=address))


def subject_of(holder: Holder) -> Subject:
    """Return the subject of a user or application, or the subject itself."""
    return holder if isinstance(holder, Subject) else holder.subject


def _below(parent: Scope, name: str, **fields: Any) -> Scope:
    scope = Scope.below(parent, name=name, created_by=MAKER)
    for field, value in fields.items():
        setattr(scope, field, value)
    scope.save(force_insert=True)
    return scope
