"""Installations whose names were stored by an earlier version go on, and equal names are reported."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from accessrules.models import Scope, Subject
from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.unicode_examples import decomposed

pytestmark = pytest.mark.django_db
NAMES = import_module("accessrules.migrations.0009_normalized_names")
APPLICATIONS = import_module("applications.migrations.0009_normalized_search_text")
USERS = import_module("runai_access.accounts.migrations.0005_normalized_search_text")


def test_stored_copies_are_normalized_again() -> None:
    group = factories.group("ＴＥＡＭ")
    rosa = factories.person("rosa@İstanbul.example")
    nightly = factories.application("nightly")
    Subject.objects.filter(pk=group.pk).update(normalized_name="ｔｅａｍ")
    User.objects.update(search_text="rosa@i̇stanbul.example\nmaker")
    Application.objects.update(
        created_by="rosa@İstanbul.example", search_text="nightly\nrosa@i̇stanbul.example\n"
    )
    for migration in (NAMES, APPLICATIONS, USERS):
        migration.refresh(apps, connection.schema_editor())
    assert Subject.objects.get(pk=group.pk).normalized_name == "team"
    assert User.objects.get(pk=rosa.pk).search_text.startswith("rosa@istanbul.example\n")
    found = Application.objects.get(pk=nightly.pk)
    assert found.search_text == "nightly\nrosa@istanbul.example\n"


def test_names_that_count_as_the_same_are_reported_and_stay(
    capsys: pytest.CaptureFixture[str],
) -> None:
    east = factories.cluster("east")
    for name in ("Zürich", decomposed("Zürich")):
        factories.department(name, east)
        factories.group(name)
    factories.department("vision", east)
    NAMES.report(apps, connection.schema_editor())
    told = capsys.readouterr().out
    assert f"scopes below east ({east.pk}): 'Z\\xfcrich', 'Zu\\u0308rich'" in told
    assert "groups: 'Z\\xfcrich', 'Zu\\u0308rich'" in told
    assert "vision" not in told
    assert set(Scope.objects.filter(parent=east).values_list("name", flat=True)) == {
        "Zürich", decomposed("Zürich"), "vision",
    }  # fmt: skip


def test_nothing_is_reported_where_all_names_differ(capsys: pytest.CaptureFixture[str]) -> None:
    factories.cluster("east")
    NAMES.report(apps, connection.schema_editor())
    assert capsys.readouterr().out == ""
