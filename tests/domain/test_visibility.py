"""Visibility of applications, rules and scopes, and its cost in queries."""

import uuid
from collections.abc import Iterable

import pytest
from pytest_django import DjangoAssertNumQueries

from accessrules.actions.rules import delete_access_rule
from accessrules.authorization.authority import authority_of, unlimited_authority
from accessrules.console.tables.subjects import named_rules
from accessrules.models import AccessRule
from applications import policy
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.errors import Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization


@pytest.fixture
def reader(acme: Organization) -> User:
    """Rita reads applications and access rules in the research department, and nothing else."""
    rita = factories.person("rita@acme.example")
    AccessRule.objects.create(
        subject=rita.subject,
        role=factories.custom_role("Reader", apps="r", access_rules="r", project="r"),
        scope=acme["research"],
        created_by="test",
    )
    return rita


def _names(applications: Iterable[Application]) -> set[str]:
    return {application.name for application in applications}


def test_read_permission_on_the_account_shows_all_applications(acme: Organization) -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    factories.application("ruled", ("Viewer", acme["batch"]))
    factories.application("bare")
    assert _names(policy.visible(factories.caller(sam))) == {"ruled", "bare"}


def test_read_in_a_department_shows_applications_with_rules_there(
    acme: Organization, reader: User
) -> None:
    factories.application("at", ("Viewer", acme["research"]))
    factories.application("below", ("Viewer", acme["vision"]))
    factories.application("above", ("Viewer", acme["alpha"]))
    factories.application("beside", ("Viewer", acme["sales"]))
    factories.application("everywhere", ("Viewer", acme["account"]))
    factories.application("bare")
    factories.application("both", ("Viewer", acme["speech"]), ("Viewer", acme["batch"]))
    caller = factories.caller(reader)
    assert _names(policy.visible(caller)) == {"at", "below", "both"}


def test_a_deleted_rule_hides_its_application(acme: Organization, reader: User) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]))
    rule = AccessRule.objects.get(subject=ci.subject)
    AccessRule.objects.filter(pk=rule.pk).update(deleted_at=rule.created_at)
    assert _names(policy.visible(factories.caller(reader))) == set()


def test_an_application_with_several_visible_rules_is_listed_once(
    acme: Organization, reader: User
) -> None:
    factories.application(
        "ci-prod",
        ("Viewer", acme["vision"]),
        ("Viewer", acme["speech"]),
        ("ML engineer", acme["vision"]),
    )
    assert policy.visible(factories.caller(reader)).count() == 1


def test_only_visible_rules_of_an_application_are_shown(acme: Organization, reader: User) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]), ("Viewer", acme["batch"]))
    named = named_rules([ci.pk], authority_of(reader.subject))
    assert named == {ci.pk: [("Viewer", "vision")]}


def test_deleted_rules_are_not_shown_with_an_application(acme: Organization) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]), ("Viewer", acme["batch"]))
    rule = AccessRule.objects.get(subject=ci.subject, scope=acme["vision"])
    AccessRule.objects.filter(pk=rule.pk).update(deleted_at=rule.created_at)
    assert named_rules([ci.pk], unlimited_authority()) == {ci.pk: [("Viewer", "batch")]}


def test_without_any_read_permission_denial_precedes_lookup(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    leo = factories.person("leo@acme.example", "L1 researcher")
    factories.application("ci-prod", ("Viewer", acme["vision"]))
    caller = factories.caller(leo)
    with (
        django_assert_num_queries(1),
        pytest.raises(Denied, match="“View applications” permission"),
    ):
        policy.visible_one(caller, uuid.uuid4())


@pytest.mark.parametrize(
    "id_", ["", "no-uuid", "0" * 32, factories.UNKNOWN_ID, "' OR 1=1 --", "\x00", "9" * 5000]
)
def test_unknown_and_malformed_ids_are_not_found(acme: Organization, id_: str) -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    factories.application("ci-prod")
    with pytest.raises(NotFound):
        policy.visible_one(factories.caller(sam), id_)


def test_an_application_that_is_not_visible_is_not_found(acme: Organization, reader: User) -> None:
    hidden = factories.application("hidden", ("Viewer", acme["batch"]))
    shown = factories.application("shown", ("Viewer", acme["vision"]))
    caller = factories.caller(reader)
    assert policy.visible_one(caller, str(shown.pk)) == shown
    with pytest.raises(NotFound):
        policy.visible_one(caller, str(hidden.pk))


def test_listing_applications_with_rules_costs_two_queries(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    authority = authority_of(factories.person("sam@acme.example", "System administrator").subject)
    for count in (1, 12):
        while Application.objects.count() < count:
            number = Application.objects.count()
            factories.application(
                f"app-{number}", ("Viewer", acme["vision"]), ("L1 researcher", acme["batch"])
            )
        with django_assert_num_queries(2):
            listed = Application.objects.filter(authority.visible_q("apps")).select_related(
                "subject"
            )
            named = named_rules([application.pk for application in listed], authority)
            sentences = [
                f"{application.name} {rule.role} in {rule.scope}"
                for application in listed
                for rule in named[application.pk]
            ]
        assert len(sentences) == 2 * count


def test_rules_are_visible_where_access_rules_can_be_read(acme: Organization, reader: User) -> None:
    ci = factories.application("ci-prod")
    for place in ("account", "alpha", "research", "vision", "sales", "batch"):
        factories.rule(ci, "Viewer", acme[place])
    rules = authority_of(reader.subject).visible_rules().filter(subject=ci.subject)
    assert {rule.scope.name for rule in rules} == {"research", "vision"}


def test_hidden_and_missing_rules_give_the_same_error(acme: Organization) -> None:
    dana = factories.person("dana@acme.example", "Department administrator", acme["research"])
    hidden = factories.rule(factories.application("ci-prod"), "Viewer", acme["batch"])
    caller = factories.caller(dana)
    with pytest.raises(NotFound) as hidden_error:
        delete_access_rule(caller=caller, rule_id=hidden.pk)
    with pytest.raises(NotFound) as missing_error:
        delete_access_rule(caller=caller, rule_id=hidden.pk + 1000)
    assert str(hidden_error.value) == str(missing_error.value)


def test_a_scope_is_visible_where_its_type_can_be_read(acme: Organization, reader: User) -> None:
    seen = authority_of(reader.subject).visible_scopes()
    assert {scope.name for scope in seen} == {"vision", "speech"}


def test_system_is_never_visible(acme: Organization) -> None:
    sol = factories.person("sol@acme.example", "System administrator", acme["system"])
    for authority in (authority_of(sol.subject), unlimited_authority()):
        assert authority.visible_scopes().count() == len(acme.scopes) - 1
        assert not authority.visible_scopes().filter(type="system").exists()


def test_without_a_rule_nothing_is_visible(acme: Organization) -> None:
    factories.application("ci-prod", ("Viewer", acme["vision"]))
    nora = factories.person("nora@acme.example")
    authority = authority_of(nora.subject)
    assert not Application.objects.filter(authority.visible_q("apps")).exists()
    assert not authority.visible_scopes().exists()
    assert not authority.visible_rules().exists()
    assert not authority.grantable_scopes().exists()
    assert authority.grantable_roles() == []
