"""Equivalent names are the same name; deceptive names and emails are refused."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError

from accessrules.actions import groups as group_actions
from accessrules.actions import scopes as scope_actions
from accessrules.actions.subjects import find_subject
from accessrules.authorization.callers import SYSTEM
from accessrules.management.references import scope_named
from accessrules.models import Scope, Subject
from accessrules.scope_import.apply import import_scopes
from accessrules.scope_import.readers import Contents
from accessrules.scope_import.rows import Entry, Faults, Place
from accessrules.validators import check_name
from runai_access.accounts.actions import create_user, invite_user, make_administrator
from runai_access.accounts.models import User
from runai_access.accounts.validators import check_email, is_email
from runai_access.errors import Conflict, NotFound
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together
from tests.unicode_examples import SAME, decomposed

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
EMOJI = "Team 👩\u200d💻 ❤\ufe0f"
PASSWORD = "correct horse battery"


@pytest.mark.parametrize("name", [PERSIAN, EMOJI, "Zürich", "東京 一", "ﬁle", "ＴＥＡＭ"])
def test_name_of_any_script_is_stored_unchanged(name: str) -> None:
    assert check_name(f" {name} ") == name


def test_name_is_stored_composed() -> None:
    assert check_name(decomposed("Zürich")) == "Zürich"


@pytest.mark.parametrize(
    "name",
    [
        "\u2800", "a\u2800b", "\u3164", "a\u3164b", "\uffa0", "\u115f", "\u1160", "\u200b", "a\u200bb",
        "a\u202eb", "a\u2066b", "a\u200fb", "\u200d", "\u200c\u200d", "ad\u200dmin", "ci\u200c",
        "\u0645\u200c\u200c\u06cc", "\u0645\u200c", "\u200d\u0645", "\u0301", "\ufe0f", "a\u00a0b",
        "a\u00adb",
    ],
)  # fmt: skip
def test_name_with_invisible_characters_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        check_name(name)


@pytest.mark.parametrize(("taken", "wanted"), SAME)
def test_equivalent_scope_name_is_in_use(acme: Organization, taken: str, wanted: str) -> None:
    factories.project(taken, acme["research"])
    wanted = wanted.replace("\u200b", "").replace("\ufeff", "").replace("\u00ad", "")
    create = partial(scope_actions.create_scope, caller=SYSTEM)
    with pytest.raises(Conflict, match="is taken in department research") as refusal:
        create(parent=acme["research"], name=wanted)
    assert refusal.value.field == "name"
    with pytest.raises(Conflict, match="is taken"):
        scope_actions.rename_scope(caller=SYSTEM, scope=acme["vision"], name=wanted)
    elsewhere = create(parent=acme["sales"], name=wanted)
    with pytest.raises(Conflict, match="is taken in department research"):
        scope_actions.move_scope(caller=SYSTEM, scope=elsewhere, target=acme["research"])


def test_scope_can_be_renamed_to_an_equivalent_name(acme: Organization) -> None:
    made = factories.project(decomposed("Zürich"), acme["research"])
    renamed = scope_actions.rename_scope(caller=SYSTEM, scope=made, name="ZÜRICH")
    assert renamed.name == "ZÜRICH"


@pytest.mark.django_db
@pytest.mark.parametrize(("taken", "wanted"), SAME)
def test_equivalent_group_name_is_in_use(taken: str, wanted: str) -> None:
    factories.group(taken)
    wanted = wanted.replace("\u200b", "").replace("\ufeff", "").replace("\u00ad", "")
    with pytest.raises(Conflict, match="is taken") as refusal:
        group_actions.create_group(caller=SYSTEM, name=wanted)
    assert refusal.value.field == "name"


@pytest.mark.django_db
def test_name_of_a_deleted_group_can_be_reused() -> None:
    group_actions.delete_group(caller=SYSTEM, group=factories.group("Zürich"))
    assert group_actions.create_group(caller=SYSTEM, name="zürich").name == "zürich"


@pytest.mark.django_db(transaction=True)
def test_concurrent_creations_with_equivalent_names_succeed_once() -> None:
    create = partial(group_actions.create_group, caller=SYSTEM)
    outcomes = together([partial(create, name="Zürich"), partial(create, name="ZÜRICH")])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Subject"]
    assert Subject.objects.filter(type="group").count() == 1


@pytest.mark.django_db
def test_group_is_found_by_equivalent_names() -> None:
    group = factories.group("Zürich")
    assert find_subject("group", decomposed("ZÜRICH")) == group


@pytest.mark.django_db
def test_old_equivalent_names_are_found_by_exact_match_only() -> None:
    composed, other = factories.group("Zürich"), factories.group(decomposed("Zürich"))
    assert find_subject("group", "Zürich") == composed
    assert find_subject("group", decomposed("Zürich")) == other
    with pytest.raises(NotFound):
        find_subject("group", "ZÜRICH")


def test_command_accepts_equivalent_scope_names(acme: Organization) -> None:
    made = factories.project("Zürich", acme["research"])
    assert scope_named(f"project:{decomposed('zürich')}", argument="SCOPE") == made


def _import(acme: Organization, *entries: tuple[str, str, str]) -> None:
    contents = Contents(
        [
            Entry(Place(line), Scope.Type.PROJECT, name, id_, parent)
            for line, (name, id_, parent) in enumerate(entries, 2)
        ],
        [],
    )
    import_scopes(caller=SYSTEM, contents=contents, show=lambda _: None)


def test_import_matches_scopes_by_equivalent_name(acme: Organization) -> None:
    made = factories.project(decomposed("Zürich"), acme["research"])
    _import(acme, ("Zürich", "", "RESEARCH"))
    assert Scope.objects.get(pk=made.pk).name == "Zürich"


def test_import_with_equivalent_names_is_refused(acme: Organization) -> None:
    with pytest.raises(Faults, match="line 2 has it"):
        _import(acme, ("Zürich", "", "research"), ("ZÜRICH", "", "research"))


def test_import_works_next_to_old_equivalent_names(acme: Organization) -> None:
    factories.project("Zürich", acme["research"])
    factories.project("zürich", acme["research"])
    _import(acme, ("audio", "", "research"))
    assert Scope.objects.filter(name="audio").exists()


@pytest.mark.parametrize(
    "email",
    [
        "rosa@bücher.de", "rosa@пример.рф", "rosa@παράδειγμα.gr", "rosa@日本の例え.jp",
        "rosa@abc日本語.jp", "rosa@한국漢字.kr", "rosa@ㄅ漢字.tw", "rosa@ラーメン.jp",
        "rosa@пример.com", "rosa-1@acme2.example",
    ],
)  # fmt: skip
def test_email_with_one_script_per_label_is_accepted(email: str) -> None:
    assert check_email(email) == email


@pytest.mark.parametrize(
    "email",
    [
        "rosa@p\u0430ypal.com", "rosa@\u0440\u0430ypal.com", "rosa@g\u03bfogle.com", "rosa@한かな.kr",
        "rosa@пример\u03b1.рф", "r\u043esa@acme.example",
    ],
)  # fmt: skip
def test_email_with_mixed_scripts_in_a_label_is_refused(email: str) -> None:
    with pytest.raises(ValidationError, match="can't mix scripts"):
        check_email(email)
    assert not is_email(email)


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u3164", "\ufe0f"]
)
@pytest.mark.parametrize("place", ["ro{}sa@acme.example", "rosa@ac{}me.example"])
def test_email_with_an_invisible_character_is_refused(hidden: str, place: str) -> None:
    with pytest.raises(ValidationError, match="invisible characters"):
        check_email(place.format(hidden))


@pytest.mark.django_db
def test_equivalent_email_is_in_use() -> None:
    create_user(caller=SYSTEM, email=decomposed("Rosa@Bücher.de"), password=None)
    assert User.objects.get().email == "rosa@bücher.de"
    for email in ("rosa@bücher.de", "ROSA@BÜCHER.DE", decomposed("rosa@bücher.de")):
        with pytest.raises(Conflict, match="is taken") as refusal:
            invite_user(caller=SYSTEM, email=email)
        assert refusal.value.field == "email"
    create_user(caller=SYSTEM, email="eva@straße.de", password=None)
    with pytest.raises(Conflict, match=r"it is equal to eva@straße\.de"):
        invite_user(caller=SYSTEM, email="eva@strasse.de")


@pytest.mark.django_db
def test_administrator_is_recovered_by_an_equivalent_email() -> None:
    rosa = factories.person("rosa@bücher.de")
    found = make_administrator(caller=SYSTEM, email=decomposed("ROSA@bücher.de"), password=PASSWORD)
    assert found == rosa


@pytest.mark.django_db
def test_old_equivalent_emails_are_found_by_exact_match_only() -> None:
    long, short = factories.person("eva@straße.de"), factories.person("eva@strasse.de")
    assert User.objects.with_email("eva@straße.de").get() == long
    assert User.objects.with_email("eva@strasse.de").get() == short
    assert not User.objects.with_email("eva@ｓtrasse.de").exists()
