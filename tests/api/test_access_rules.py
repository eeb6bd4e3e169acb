"""/api/v1/authorization/access-rules."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accessrules.filters import rules
from accessrules.filters.search import count_rules
from accessrules.models import AccessRule, Scope
from applications.models import Application
from runai_access.api.examples import VALUES
from runai_access.lists.operators import IS, STARTS_WITH, Operator
from tests import factories
from tests.api.conftest import As, Organization
from tests.plans import plan_of
from tests.strategies import force

pytestmark = pytest.mark.django_db
RULES = "/api/v1/authorization/access-rules"
VIEWER = 7
SYSTEM_ADMINISTRATOR = 1


def post(client: Client, **body: Any) -> Any:
    return client.post(RULES, json.dumps(body), content_type="application/json")


def wanted(organization: Organization, **changes: Any) -> dict[str, Any]:
    return {
        "subjectId": "nightly",
        "subjectType": "app",
        "roleId": VIEWER,
        "scopeId": organization.training.uid,
        "scopeType": "project",
        **changes,
    }


def test_a_created_rule_has_the_members_of_the_contract(
    as_: As, administrator: Application, organization: Organization
) -> None:
    factories.application("nightly")
    answer = post(as_(administrator), **wanted(organization))
    assert answer.status_code == 201
    rule = answer.json()
    assert rule["subjectId"] == "nightly"
    assert rule["subjectType"] == "app"
    assert (rule["roleId"], rule["roleName"]) == (VIEWER, "Viewer")
    assert rule["scopeId"] == organization.training.uid
    assert (rule["scopeType"], rule["scopeName"]) == ("project", "training")
    assert rule["scopePath"] == "acme/gpu-east/vision/training"
    assert rule["clusterId"] == organization.cluster.uid
    assert rule["tenantId"] == 1001
    assert rule["createdBy"] == "root"
    assert rule["deletedAt"] is None
    assert as_(administrator).get(f"{RULES}/{rule['id']}").json() == rule


@pytest.mark.parametrize("subject_type", ["app", "service-account"])
def test_app_and_service_account_subject_types_create_the_same_rule(
    as_: As, administrator: Application, organization: Organization, subject_type: str
) -> None:
    factories.application("nightly")
    answer = post(as_(administrator), **wanted(organization, subjectType=subject_type))
    assert answer.json()["subjectType"] == "app"
    found = as_(administrator).get(RULES, {"subjectType": subject_type, "roleId": VIEWER}).json()
    assert [rule["subjectId"] for rule in found["accessRules"]] == ["nightly"]


def test_subject_ids_are_accepted_and_responses_contain_names(
    as_: As, administrator: Application, organization: Organization
) -> None:
    ada = factories.person("ada@acme.example")
    answer = post(
        as_(administrator),
        **wanted(organization, subjectType="user", subjectId=str(ada.pk)),
    )
    assert answer.json()["subjectId"] == "ada@acme.example"


def test_a_duplicate_rule_is_409(
    as_: As, administrator: Application, organization: Organization
) -> None:
    factories.application("nightly", ("Viewer", organization.training))
    answer = post(as_(administrator), **wanted(organization))
    assert answer.status_code == 409
    assert "nightly already has the role Viewer in project training" in answer.json()["details"]


@pytest.mark.parametrize(
    ("changes", "status", "named"),
    [
        ({"roleId": 99}, 404, "roleId"),
        ({"roleId": "viewer"}, 400, "roleId"),
        ({"roleId": True}, 400, "roleId"),
        ({"roleId": -1}, 400, "roleId"),
        ({"roleId": 2**70}, 400, "roleId"),
        ({"subjectId": "nobody"}, 404, "subjectId"),
        ({"subjectId": 5}, 400, "subjectId"),
        ({"subjectId": "nul\x00"}, 400, "subjectId"),
        ({"subjectType": "robot"}, 400, "subjectType"),
        ({"subjectType": {}}, 400, "subjectType"),
        ({"scopeId": "nowhere"}, 404, "scopeId"),
        ({"scopeType": "department"}, 404, "scopeId"),
        ({"scopeType": "galaxy"}, 400, "scopeType"),
        ({"scopeType": "system", "scopeId": "system"}, 404, "scopeId"),
    ],
)
def test_an_invalid_rule_is_refused_with_the_field_name(
    as_: As,
    administrator: Application,
    organization: Organization,
    changes: dict[str, Any],
    status: int,
    named: str,
) -> None:
    factories.application("nightly")
    before = AccessRule.objects.count()
    answer = post(as_(administrator), **wanted(organization, **changes))
    assert answer.status_code == status
    assert answer.json()["details"].startswith(f"{named}: ")
    assert AccessRule.objects.count() == before


def test_a_department_administrator_grants_only_in_the_department(
    as_: As, organization: Organization
) -> None:
    factories.application("nightly")
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    assert post(client, **wanted(organization)).status_code == 201
    above = post(client, **wanted(organization, roleId=SYSTEM_ADMINISTRATOR))
    assert above.status_code == 403
    assert "To assign System administrator in project training, you need" in above.json()["details"]
    sibling = wanted(organization, scopeId=organization.dictation.uid)
    assert post(client, **sibling).status_code == 404


def test_without_the_permission_the_response_is_403_before_any_query(
    as_: As, organization: Organization
) -> None:
    client = as_(factories.application("watcher", ("Viewer", factories.account())))
    answer = post(client, **wanted(organization, subjectId="nobody", roleId=99))
    assert answer.status_code == 403
    assert client.get(RULES).status_code == 403
    assert client.get(f"{RULES}/1").status_code == 403
    assert client.delete(f"{RULES}/1").status_code == 403


def test_lists_counts_and_single_reads_show_the_same_rules(
    as_: As, organization: Organization
) -> None:
    inside = factories.rule(factories.application("a1"), "Viewer", organization.training)
    outside = factories.rule(factories.application("a2"), "Viewer", organization.dictation)
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    listed = client.get(RULES).json()
    assert {rule["subjectId"] for rule in listed["accessRules"]} == {"a1", "lead"}
    assert listed["totalRecords"] == listed["displayRecords"] == 2
    assert client.get(f"{RULES}/count").json() == {"count": 2}
    assert client.get(RULES, {"search": "a2"}).json()["totalRecords"] == 0
    assert client.get(f"{RULES}/{inside.pk}").status_code == 200
    assert client.get(f"{RULES}/{outside.pk}").status_code == 404
    assert client.delete(f"{RULES}/{outside.pk}").status_code == 404


def test_a_deleted_rule_is_404_but_listed_with_include_deleted(
    as_: As, administrator: Application, organization: Organization
) -> None:
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.training)
    client = as_(administrator)
    assert client.delete(f"{RULES}/{rule.pk}").status_code == 204
    assert client.get(f"{RULES}/{rule.pk}").status_code == 404
    assert client.delete(f"{RULES}/{rule.pk}").status_code == 404
    assert client.get(RULES, {"roleId": VIEWER}).json()["totalRecords"] == 0
    kept = client.get(RULES, {"roleId": VIEWER, "includeDeleted": "true"}).json()
    assert kept["accessRules"][0]["deletedAt"] is not None


def test_deleted_rules_are_read_from_their_index() -> None:
    rules = AccessRule.objects.deleted()
    plan = plan_of(str(rules.filter(scope__gt=0).values("pk", "role_id").query))
    index_only = "COVERING INDEX" if connection.vendor == "sqlite" else "Index Only Scan using"
    assert f"{index_only} access_rule_deleted" in plan


def test_living_rules_are_not_sorted_by_the_deletion_that_they_do_not_have(
    as_: As, administrator: Application
) -> None:
    client = as_(administrator)
    query = {"sortBy": "deletedAt", "includeDeleted": "true"}
    with CaptureQueriesContext(connection) as queries:
        assert client.get(RULES, query).json()["totalRecords"] == 1
    keys = [
        found
        for one in queries
        for found in re.findall(r" IN \((SELECT .*ORDER BY .* LIMIT \d+)\)", one["sql"])
    ]
    # Without the part of living rules that have a time of deletion, which is none.
    (living,) = (sql for sql in keys if "IS NOT NULL" not in sql)
    assert not re.search("TEMP B-TREE|Sort", plan_of(living))


@pytest.mark.parametrize("compared", ["==2026-01-01T00:00:00Z", ">=2020-01-01T00:00:00Z", "!=null"])
def test_comparing_the_time_of_deletion_tests_no_living_rule(
    as_: As, administrator: Application, compared: str
) -> None:
    client = as_(administrator)
    with CaptureQueriesContext(connection) as queries:
        found = client.get(RULES, {"filterBy": f"deletedAt{compared}"}).json()
    assert found["totalRecords"] == 0
    compares = re.compile(r'"deleted_at" (>|<|IS NOT NULL)')
    assert not [one["sql"] for one in queries if compares.search(one["sql"])]


@pytest.mark.parametrize("query", [{"search": "root"}, {"filterBy": "roleName=@admin"}])
def test_deleted_rules_are_filtered_without_further_queries(
    as_: As, administrator: Application, query: dict[str, str]
) -> None:
    client = as_(administrator)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(RULES, {**query, "includeDeleted": "true"})
    assert answer.json()["totalRecords"] == 1
    statements = Counter(one["sql"] for one in queries)
    assert [sql for sql, number in statements.items() if number > 1] == []


@pytest.mark.parametrize(("scope", "number"), [(factories.account, 2), (factories.system, 3)])
def test_all_rules_are_counted_in_one_statement(
    scope: Callable[[], Scope], number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A rule that is deleted between two of them would count twice."""
    caller = factories.application("a1", ("System administrator", scope()))
    for name, place in (("a2", factories.account()), ("a3", factories.system())):
        factories.application(name, ("Viewer", place))
    deleted = factories.rule(factories.application("a4"), "Viewer", factories.account())
    AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    authority = factories.caller(caller).authority
    with django_assert_num_queries(1):
        assert count_rules(authority) == number


def test_removing_a_rule_affects_the_next_request(as_: As, administrator: Application) -> None:
    worker = factories.application("worker")
    rule = factories.rule(worker, "System administrator", factories.account())
    client = as_(worker)
    assert client.get(RULES).status_code == 200
    assert as_(administrator).delete(f"{RULES}/{rule.pk}").status_code == 204
    assert client.get(RULES).status_code == 403


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"subjectIds": "a1,a2"}, {"a1", "a2"}),
        ({"subjectIdFilter": "A1"}, {"a1"}),
        ({"scopeType": "department"}, {"a2"}),
        ({"filterBy": "scopeName=^train"}, {"a1"}),
        ({"filterBy": "subjectType==service-account,roleName==viewer"}, {"a1", "a2"}),
        ({"filterBy": "subjectId!@a,subjectType==app"}, {"root"}),
        ({"filterBy": "roleId>=7"}, {"a1", "a2"}),
        ({"search": "vision"}, {"a2"}),
        ({"lastUpdated": "2999-01-01T00:00:00Z"}, set()),
        ({"filterBy": "createdAt<=2999-01-01T00:00:00+01:00", "subjectIds": "a1"}, {"a1"}),
    ],
)
def test_a_list_can_be_filtered(
    as_: As,
    administrator: Application,
    organization: Organization,
    query: dict[str, str],
    names: set[str],
) -> None:
    factories.application("a1", ("Viewer", organization.training))
    factories.application("a2", ("Viewer", organization.vision))
    answer = as_(administrator).get(RULES, query).json()
    assert {rule["subjectId"] for rule in answer["accessRules"]} == names


@pytest.mark.parametrize("most", [0, 2_000], ids=["many creators", "few creators"])
@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("==ADA@acme.example", {"a1"}),
        ("!=ada@acme.example", {"a2", "root"}),
        ("=@ACME", {"a1", "root"}),
        ("!@acme", {"a2"}),
        ("=^bob", {"a2"}),
        ("=$.org", {"a2"}),
        ("=@nobody", set()),
    ],
)
def test_rules_are_found_by_their_creator(
    as_: As,
    administrator: Application,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    condition: str,
    names: set[str],
) -> None:
    monkeypatch.setattr(rules, "MAX_CREATORS", most)
    for name, creator in (("a1", "ada@acme.example"), ("a2", "bob@other.org"), ("a3", "eve")):
        rule = factories.application(name, ("Viewer", factories.account())).subject.access_rules
        rule.update(created_by=creator)
    rule.update(deleted_at=timezone.now())
    client, query = as_(administrator), {"filterBy": f"createdBy{condition}"}
    answer = client.get(RULES, query).json()
    assert {rule["subjectId"] for rule in answer["accessRules"]} == names
    assert answer["totalRecords"] == len(names)
    # A rule whose creator created no other is found among the deleted ones.
    deleted = {"filterBy": "createdBy=@eve", "includeDeleted": "true"}
    assert [rule["subjectId"] for rule in client.get(RULES, deleted).json()["accessRules"]] == [
        "a3"
    ]


@pytest.mark.parametrize("operator", [IS, STARTS_WITH])
def test_one_of_many_creators_is_found_by_the_index(
    administrator: Application, monkeypatch: pytest.MonkeyPatch, operator: Operator
) -> None:
    monkeypatch.setattr(rules, "MAX_CREATORS", 0)
    authority = factories.caller(administrator).authority
    created_by = rules.AccessRuleFilterSet.field_filters["authorized_by"]
    found = created_by.list_filter(
        operator, [factories.MAKER], authority, AccessRule.objects.living()
    )
    assert found.keys is not None
    assert found.keys.first(9) == [administrator.subject.access_rules.get().pk]


@pytest.mark.parametrize("role_id", ["0", "-1", "viewer", ""])
@pytest.mark.parametrize("path", [RULES, f"{RULES}/count"])
def test_a_role_id_must_be_a_positive_integer(
    as_: As, administrator: Application, path: str, role_id: str
) -> None:
    answer = as_(administrator).get(path, {"roleId": role_id})
    assert answer.status_code == 400
    assert answer.json()["details"].startswith("roleId must be a positive integer")


def test_last_updated_includes_the_time_itself(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.vision)
    AccessRule.objects.filter(pk=rule.pk).update(updated_at=moment)
    for last_updated, found in (
        ("2026-03-01T12:00:00Z", True),
        ("2026-03-01T12:00:00.001Z", False),
    ):
        listed = client.get(RULES, {"lastUpdated": last_updated, "subjectIds": "nightly"}).json()
        assert bool(listed["totalRecords"]) is found


def test_a_cluster_filter_includes_descendants(
    as_: As, administrator: Application, organization: Organization
) -> None:
    other = factories.cluster("gpu-west")
    factories.application("a1", ("Viewer", organization.training))
    factories.application("a2", ("Viewer", other))
    client = as_(administrator)
    answer = client.get(RULES, {"clusterId": organization.cluster.uid}).json()
    assert [rule["subjectId"] for rule in answer["accessRules"]] == ["a1"]
    assert client.get(RULES, {"clusterId": "nope"}).status_code == 400


def test_the_default_limit_is_fifty_rules(
    as_: As, administrator: Application, organization: Organization
) -> None:
    for number in range(55):
        factories.application(f"app-{number}", ("Viewer", organization.training))
    client = as_(administrator)
    answer = client.get(RULES).json()
    assert (answer["totalRecords"], answer["displayRecords"]) == (56, 50)
    assert client.get(RULES, {"limit": 500}).json()["displayRecords"] == 56
    assert client.get(RULES, {"limit": 501}).status_code == 400


@pytest.mark.usefixtures("known_keys")
@pytest.mark.parametrize("sort", ["scopeName", "scopeId"])
@pytest.mark.parametrize("deleted", ["false", "true"])
def test_rules_in_order_of_scopes_are_not_searched_in_invisible_ones(
    sort: str, deleted: str, as_: As, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("scan", monkeypatch)
    for place in (organization.serving, organization.training):
        factories.application(f"in-{place.name}", ("Viewer", place))
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    query = {"sortBy": sort, "includeDeleted": deleted}
    with CaptureQueriesContext(connection) as few:
        scopes = [rule["scopeName"] for rule in client.get(RULES, query).json()["accessRules"]]
    assert sorted(scopes) == ["serving", "training", "vision"]
    assert scopes == sorted(scopes) or sort == "scopeId"
    for number in range(5):
        factories.project(f"other-{number}", organization.speech)
    with CaptureQueriesContext(connection) as more:
        client.get(RULES, query)
    assert len(more) == len(few)


@pytest.mark.usefixtures("known_keys")
def test_the_number_of_queries_does_not_depend_on_the_number_of_rules(
    as_: As,
    administrator: Application,
    organization: Organization,
    django_assert_num_queries: Any,
) -> None:
    client = as_(administrator)
    client.get(RULES)
    with django_assert_num_queries(5):  # token, authority, count, rules, ancestors
        client.get(RULES)
    for number in range(20):
        factories.application(f"app-{number}", ("Viewer", organization.training))
    with django_assert_num_queries(5):
        assert client.get(RULES).json()["displayRecords"] == 21


def test_the_last_administrators_rule_can_not_be_deleted(
    as_: As, administrator: Application
) -> None:
    factories.person("ada@acme.example", "System administrator")
    rule = AccessRule.objects.get(subject__name="ada@acme.example")
    answer = as_(administrator).delete(f"{RULES}/{rule.pk}")
    assert answer.status_code == 409
    assert "System administrator" in answer.json()["details"]
    assert AccessRule.objects.living().filter(pk=rule.pk).exists()


def test_granting_is_403_in_a_visible_scope_and_404_elsewhere(
    as_: As, organization: Organization
) -> None:
    lead = factories.application("nightly", ("Department administrator", organization.speech))
    factories.rule(lead, "Viewer", organization.training)
    statuses = [
        post(as_(lead), **wanted(organization, scopeId=scope.uid)).status_code
        for scope in (organization.training, organization.serving, organization.dictation)
    ]
    assert statuses == [403, 404, 201]


def test_granting_does_not_require_view_permission_for_the_scope(
    as_: As, organization: Organization
) -> None:
    granting = factories.custom_role("Granter", access_rules="c", workspaces="r")
    granter = factories.application("nightly", (granting.name, organization.training))
    reader = factories.custom_role("Reader", workspaces="r")
    answer = post(as_(granter), **wanted(organization, roleId=reader.pk))
    assert answer.status_code == 201


# Expiry.

SOON = "2099-01-01T00:00:00.000Z"


def patch(client: Client, rule_id: int, **body: Any) -> Any:
    return client.patch(f"{RULES}/{rule_id}", json.dumps(body), content_type="application/json")


def create_batch(client: Client, organization: Organization, expires_at: object) -> Any:
    payload = {
        "subjects": [{"subjectId": "nightly", "subjectType": "app"}],
        "scopes": [{"scopeId": organization.speech.uid, "scopeType": "department"}],
        "roleId": VIEWER,
        "expiresAt": expires_at,
    }
    body = json.dumps({"payload": payload})
    return client.post(f"{RULES}/batch-create", body, content_type="application/json")


def test_an_expiry_is_set_changed_found_and_removed(
    as_: As, administrator: Application, organization: Organization
) -> None:
    api = as_(administrator)
    factories.application("nightly")
    rule = post(api, **wanted(organization, expiresAt=SOON)).json()
    assert rule["expiresAt"] == SOON
    for condition, number in (("expiresAt!=null", 1), ("expiresAt<=2098-01-01", 0)):
        found = api.get(f"{RULES}?filterBy={condition}").json()
        assert found["totalRecords"] == number
    assert api.get(f"{RULES}?sortBy=expiresAt").json()["accessRules"][0] == rule
    later = "2100-01-01T00:00:00.000Z"
    changed = patch(api, rule["id"], expiresAt=later).json()
    assert changed == {**rule, "expiresAt": later, "updatedAt": changed["updatedAt"]}
    assert patch(api, rule["id"], expiresAt=None).json()["expiresAt"] is None


@pytest.mark.parametrize("expires_at", ["2020-01-01T00:00:00Z", "tomorrow", 7])
def test_an_invalid_expiry_is_refused(
    as_: As, administrator: Application, organization: Organization, expires_at: object
) -> None:
    api = as_(administrator)
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.training)
    new = wanted(organization, roleId=SYSTEM_ADMINISTRATOR, expiresAt=expires_at)
    for answer in (
        post(api, **new),
        patch(api, rule.pk, expiresAt=expires_at),
        create_batch(api, organization, expires_at),
    ):
        assert answer.status_code == 400
        assert "expiresAt: " in answer.json()["details"]
    assert list(AccessRule.objects.exclude(subject=administrator.subject)) == [rule]


def test_rules_of_a_batch_have_its_expiry(
    as_: As, administrator: Application, organization: Organization
) -> None:
    factories.application("nightly")
    create_batch(as_(administrator), organization, SOON)
    rule = AccessRule.objects.get(scope=organization.speech)
    assert rule.expires_at == datetime(2099, 1, 1, tzinfo=UTC)


def test_an_expired_rule_no_longer_authorizes_its_application(
    as_: As, administrator: Application
) -> None:
    api = as_(administrator)
    assert api.get(RULES).status_code == 200
    AccessRule.objects.update(expires_at=timezone.now())
    assert api.get(RULES).status_code == 403


def test_the_documented_expiry_is_accepted(
    as_: As, administrator: Application, organization: Organization
) -> None:
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.training)
    answer = patch(as_(administrator), rule.pk, expiresAt=VALUES["expiresAt"])
    assert answer.status_code == 200, answer.json()
