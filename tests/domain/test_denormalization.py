"""Triggers keep every declared column and the number of rules equal to what they are computed from."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Count, F, Sum, Value
from django.db.models.functions import Concat
from django.utils import timezone

from accessrules.models import AccessRule, Role, RuleCount, Scope, Subject
from applications import triggers
from applications.models import Application, ClientSecret
from applications.triggers import COLUMNS, search_index
from tests import factories

pytestmark = pytest.mark.django_db

VENDOR = connection.vendor
NAMES = list(triggers.create_statements(VENDOR))


def _is_observable(name: str) -> bool:
    """Return whether the trigger changes a row without concurrent transactions.

    `test_rule_written_during_a_change_of_its_application_is_consistent` tests the others.
    """
    table = "accessrules_accessrule"
    return not (name.startswith(table) and name.endswith("application_created_at"))


def test_models_mark_exactly_the_declared_columns_as_denormalized() -> None:
    marked = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if getattr(field, "is_denormalized", False)
    }
    assert marked == {(column.table, column.name) for column in COLUMNS}


def test_columns_equal_their_declarations_after_every_write() -> None:
    for description in _writes():
        assert (description, _stale()) == (description, [])


@pytest.mark.parametrize("name", [name for name in NAMES if _is_observable(name)])
def test_missing_trigger_leaves_a_stale_column(name: str) -> None:
    """No trigger is superfluous, and the writes of this test fire each of them."""
    table = "_".join(name.split("_")[:2])
    on_table = "" if VENDOR == "sqlite" else f"ON {table}"
    _execute(f"DROP TRIGGER {name} {on_table}")
    assert any(_stale() for _ in _writes())


def test_rebuild_sets_every_column() -> None:
    factories.many_applications(2, ("Viewer", factories.cluster("east")))
    connection.check_constraints()  # checks that wait for a COMMIT prevent changes of triggers
    triggers.remove(connection)
    AccessRule.objects.update(
        subject_type="",
        subject_name="?",
        role_name="?",
        scope_name="?",
        application_created_at=None,
    )
    Application.objects.update(
        is_enabled=False,
        first_rule="?",
        search_text="other\n",
        owner_name="?",
        secret_count=7,
        oldest_secret_at=timezone.now(),
        next_secret_expiry=timezone.now(),
    )
    RuleCount.objects.update(number=7)
    assert set(_stale()) == {*(column.name for column in COLUMNS), "search", "rule_count"}
    triggers.rebuild(connection)
    assert _stale() == []


def _writes() -> Iterator[str]:
    """Change every source in every way, and yield a description after each."""
    east, west = factories.cluster("east"), factories.cluster("west")
    reader, writer = factories.custom_role("Reader"), factories.custom_role("Writer")
    ops, user = factories.group("Ärzte"), factories.person("ada@acme.example")
    early = Subject.objects.create(type=Subject.Type.APP, name="early")
    kept = factories.application("kept")
    factories.rule(early, "Reader", east)
    yield "create one row each"
    one, two, three, four = factories.many_applications(4, ("Reader", east), ("Writer", west))
    AccessRule.objects.bulk_create(
        AccessRule(subject=subject, role=reader, scope=west, created_by="ada")
        for subject in (kept.subject, ops, user.subject)
    )
    yield "create rows in bulk"
    Application.objects.create(subject=early, created_by="ada")
    yield "create the application of a subject that has a rule"
    disabled = Subject.objects.create(type=Subject.Type.APP, name="disabled", enabled=False)
    Application.objects.create(subject=disabled, created_by="ada")
    yield "create an application of a disabled subject"

    rules, applications = AccessRule.objects.all(), Application.objects.all()
    for subject in (ops, kept.subject):
        subject.name = f"NEW-{subject.name}"
        subject.save()
    yield "rename subjects"
    reader.name = "Beholder"
    reader.save()
    yield "rename a role"
    Scope.objects.filter(pk=east.pk).update(name="orient")
    yield "rename a scope"
    for normalized_name in ("a", "b"):
        Subject.objects.update(normalized_name=normalized_name)
    Role.objects.filter(pk__in=[reader.pk, writer.pk]).update(name=Concat(F("name"), Value("-2")))
    Scope.objects.filter(pk__in=[east.pk, west.pk]).update(name=Concat(F("name"), Value("-2")))
    yield "rename in bulk"
    Subject.objects.filter(pk=one.pk).update(type=Subject.Type.GROUP)
    yield "change the type of a subject"
    for enabled in (False, True, False):
        Subject.objects.filter(pk__in=[one.pk, two.pk, ops.pk]).update(enabled=enabled)
        yield f"set enabled to {enabled}"
    applications.filter(pk__in=[one.pk, kept.pk]).update(
        created_at=datetime(2020, 1, 2, tzinfo=UTC)
    )
    yield "change when applications were created"
    applications.filter(pk=one.pk).update(search_text="other\ntext\n")
    yield "change a search text"
    owned = Subject.objects.create(type=Subject.Type.APP, name="owned")
    Application.objects.create(
        subject=owned, created_by="ada", owner=ops, searched_details="\x1dnightly\x1f"
    )
    yield "create an application with an owner and a description"
    applications.filter(pk=two.pk).update(owner=ops)
    yield "set an owner"
    applications.filter(pk=two.pk).update(owner=user.subject, searched_details="\x1dweekly\x1f")
    yield "change owner and description with one statement"
    Subject.objects.filter(pk=user.pk).update(enabled=False, retired_at=timezone.now())
    yield "retire an owner"
    applications.filter(pk=owned.pk).update(owner=None)
    yield "remove an owner"
    bare = Subject.objects.create(type=Subject.Type.APP, name="bare")
    for old, new in ((three.pk, bare.pk), (bare.pk, three.pk)):
        applications.filter(pk=old).update(subject=new)
        yield "change the subject of an application"

    of_one, of_two = rules.filter(subject=one.pk), rules.filter(subject=two.pk)
    of_one.filter(role=reader).update(deleted_at=timezone.now())
    yield "mark rules as deleted"
    of_one.update(deleted_at=None, created_by="bob")
    yield "restore rules"
    of_two.filter(role=reader).update(role=Role.objects.get(name="Viewer"))
    yield "change the role of rules"
    of_two.update(scope=factories.account())
    yield "change the scope of rules"
    of_two.update(subject=ops)
    yield "move rules of an application to a group"
    rules.filter(subject=user.pk).update(subject=two.pk)
    yield "move a rule of a user to an application"
    rule = of_one.order_by("pk")[0]
    rule.delete()
    yield "delete a rule"
    rules.filter(subject__in=[three.pk, ops.pk]).delete()
    yield "delete rules in bulk"
    secrets = ClientSecret.objects.all()
    factories.client_secret(two, created_at=datetime(2020, 1, 2, tzinfo=UTC))
    yield "add a secret"
    expiring = factories.client_secret(two, expires_at=datetime(2030, 1, 2, tzinfo=UTC))
    yield "add a secret that expires"
    secrets.filter(pk=expiring.pk).update(expires_at=datetime(2029, 1, 2, tzinfo=UTC))
    yield "change the expiry of a secret"
    secrets.filter(application=two).update(created_at=datetime(2021, 1, 2, tzinfo=UTC))
    yield "change when secrets were created"
    secrets.filter(pk=expiring.pk).update(application=three)
    yield "move a secret"
    secrets.filter(pk=expiring.pk).update(revoked_at=timezone.now())
    yield "revoke a secret"
    factories.client_secret(two, expires_at=datetime(2030, 1, 2, tzinfo=UTC))
    secrets.filter(application=two).delete()
    yield "delete secrets"
    four.delete()
    yield "delete an application"
    applications.filter(pk__in=[two.pk, kept.pk]).delete()
    yield "delete applications in bulk"
    for table in (
        "accessrules_accessrule", "applications_clientsecret", "applications_application",
    ):  # fmt: skip
        for made in factories.many_applications(3, ("Viewer", east)):
            if table == "applications_clientsecret":
                factories.client_secret(made, expires_at=datetime(2030, 1, 2, tzinfo=UTC))
        connection.check_constraints()  # checks that wait for a COMMIT prevent a TRUNCATE
        empty = "DELETE FROM {}" if VENDOR == "sqlite" else "TRUNCATE {} CASCADE"
        _execute(empty.format(table))
        yield f"empty {table}"


def _stale() -> list[str]:
    """Return the columns that differ from what their declarations compute, "rule_count", "search"."""
    stale = [
        column.name
        for column in COLUMNS
        for kept, computed in _rows(
            f"SELECT {column.name}, {column.value_for(column.table)} FROM {column.table}"  # noqa: S608
        )
        if kept != computed and str(kept) != str(computed)  # SQLite computes a time as text
    ]
    kept = _search_entries()
    search_index.rebuild(connection)
    if kept != _search_entries():
        stale.append("search")
    return [*stale, *(["rule_count"] if _kept_counts() != _counts() else [])]


def _counts() -> set[tuple[int, int, int]]:
    """Return the number of active rules by role and scope."""
    by_pair = AccessRule.objects.living().order_by().values_list("role_id", "scope_id")
    return set(by_pair.annotate(number=Count("pk")))


def _kept_counts() -> set[tuple[int, int, int]]:
    by_pair = RuleCount.objects.values_list("role_id", "scope_id")
    return set(by_pair.annotate(total=Sum("number")).exclude(total=0))


def _search_entries() -> set[tuple[Any, ...]]:
    """Return the texts of the search index, in SQLite each trigram with its position."""
    if VENDOR == "postgresql":
        return set(_rows("SELECT application_id, text FROM applications_search"))
    _execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.trigrams"
        " USING fts5vocab(main, applications_search_index, instance)"
    )
    return set(
        _rows(
            "SELECT application_id, term, offset FROM temp.trigrams"
            " LEFT JOIN applications_search ON applications_search.id = trigrams.doc"
        )
    )


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
