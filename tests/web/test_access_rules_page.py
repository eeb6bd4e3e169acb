"""The Access rules page: columns, visibility, filters, sorting, export and deletion."""

import csv
import io
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.authority import authority_of
from accessrules.filters import search
from accessrules.filters.rules import AccessRuleFilterSet
from accessrules.models import AccessRule, Subject
from applications.models import Application, search_text_of
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.lists import selection
from tests import factories
from tests.web.conftest import DIALOG, LISTING, Organization, SignedIn, column, linked_url, text_of

LIST = "/access-rules/"
QUERIES = 7  # session, person, authority; preference, count, page, and the paths of its scopes


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training))


def _rule_of(holder: factories.Holder) -> AccessRule:
    return AccessRule.objects.get(subject=factories.subject_of(holder))


def _living(holder: factories.Holder) -> int:
    return AccessRule.objects.living().filter(subject=factories.subject_of(holder)).count()


# Columns and visibility


def test_a_row_shows_subject_role_scope_and_creator(browser: Client, ci: Application) -> None:
    AccessRule.objects.filter(subject=ci.subject).update(
        created_at=datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
        updated_at=datetime(2026, 4, 2, 10, 6, tzinfo=UTC),
    )
    page = browser.get(LIST, {"subject__is": "ci"})
    assert column(page, "subject") == ["ci"]
    assert column(page, "type") == ["Application"]
    assert column(page, "role") == ["Viewer"]
    assert column(page, "scope") == ["training Project"]
    assert 'title="acme / east / vision / training"' in page.content.decode()
    assert column(page, "authorized_by") == [factories.MAKER]
    assert column(page, "creation_time") == ["1 Mar 2026, 09:05 UTC"]
    assert column(page, "last_updated") == ["2 Apr 2026, 10:06 UTC"]


def test_users_applications_and_groups_share_one_list(
    browser: Client, ci: Application, acme: Organization
) -> None:
    factories.rule(factories.group("ops", ci), "Viewer", acme.east)
    page = browser.get(LIST, {"sort": "subject"})
    assert column(page, "subject") == ["ada@acme.example", "ci", "ops"]
    assert column(page, "type") == ["User", "Application", "Group"]


def test_deleted_rules_are_not_listed(browser: Client, ci: Application) -> None:
    browser.post(f"{LIST}{_rule_of(ci).pk}/delete/")
    assert column(browser.get(LIST), "subject") == ["ada@acme.example"]


def test_names_link_to_the_pages_of_subject_and_role(browser: Client, ci: Application) -> None:
    content = browser.get(LIST).content.decode()
    assert f'href="/applications/{ci.pk}/"' in content
    assert f'href="/roles/{_rule_of(ci).role_id}/"' in content


def test_a_subject_the_caller_cannot_read_has_no_link(
    ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.custom_role("Rule reader", access_rules="r")
    rita = factories.person("rita@acme.example", "Rule reader", acme.vision)
    page = as_(rita).get(LIST, {"subject__is": "ci"})
    assert column(page, "subject") == ["ci"]
    content = page.content.decode()
    assert f'href="/applications/{ci.pk}/"' not in content
    assert 'href="/roles/' not in content.partition("<main")[2]


def test_a_disabled_subject_is_marked(browser: Client, ci: Application) -> None:
    Subject.objects.filter(pk=ci.pk).update(enabled=False)
    assert column(browser.get(LIST, {"subject__is": "ci"}), "subject") == ["ci Disabled"]


def test_only_visible_rules_are_listed_counted_and_exported(
    dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.application("elsewhere", ("Viewer", acme.dictation))
    client = as_(dina)
    page = client.get(LIST)
    assert column(page, "subject") == ["ci", "dina@acme.example"]
    assert "Access rules 2" in text_of(page)
    assert "No results" in text_of(client.get(LIST, {"search": "elsewhere"}))
    assert "elsewhere" not in _csv(client, "")
    filters = client.get(f"{LIST}filter/", {"column": "scope"}).content.decode()
    assert "dictation" not in filters
    assert "training" in filters


def test_the_number_of_queries_does_not_grow_with_the_rows(
    browser: Client, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(QUERIES):
        browser.get(LIST)
    for number in range(30):
        factories.application(f"app-{number:02}", ("Viewer", acme.training))
    with django_assert_num_queries(QUERIES) as queries:
        assert len(column(browser.get(LIST), "subject")) == 20
    assert {query["sql"].split()[0] for query in queries.captured_queries} == {"SELECT"}


def test_the_page_requires_reading_access_rules(
    acme: Organization, vera: User, as_: SignedIn
) -> None:
    for path in ("", "access-rules.csv", "filter/"):
        assert as_(vera).get(f"{LIST}{path}").status_code == 403


def test_readers_get_no_buttons(ci: Application, acme: Organization, as_: SignedIn) -> None:
    factories.custom_role("Rule reader", access_rules="r")
    rita = factories.person("rita@acme.example", "Rule reader", acme.vision)
    text = text_of(as_(rita).get(LIST))
    assert "NEW ACCESS RULE" not in text
    assert "DELETE" not in text


# Sorting and filters


@pytest.mark.parametrize(
    "sort",
    ["subject", "type", "role", "scope", "authorized_by", "creation_time", "last_updated"],
)
def test_paging_shows_every_rule_once_in_every_order(
    browser: Client, acme: Organization, sort: str
) -> None:
    for number in range(25):
        factories.application(f"app-{number:02}", ("Viewer", acme.east))
    for direction in ("", "-"):
        first = browser.get(LIST, {"sort": direction + sort})
        second = browser.get(linked_url(first, "next"))
        seen = column(first, "subject") + column(second, "subject")
        assert len(seen) == len(set(seen)) == 26
        assert column(browser.get(linked_url(second, "prev")), "subject") == column(
            first, "subject"
        )


@pytest.fixture(params=["few", "counted", "many", "very many"])
def plan(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with each query strategy: candidates by index, or a scan."""
    if request.param != "few":
        monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 0)
    if "many" in request.param:
        monkeypatch.setattr(selection.Selection, "_is_scan", True)
    if request.param == "very many":
        monkeypatch.setattr(search, "_MAX_SUBJECTS", 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"subject__contains": "C"}, ["ada@acme.example", "ci"]),
        ({"subject__starts_with": "OP"}, ["ops"]),
        ({"subject__is_not": "ci"}, ["ada@acme.example", "ops"]),
        ({"type__any_of": ["group", "app"]}, ["ci", "ops"]),
        ({"role__any_of": "7"}, ["ci", "ops"]),
        ({"role__any_of": ["7", "1"]}, ["ada@acme.example", "ci", "ops"]),
        ({"authorized_by__is": factories.MAKER.upper()}, ["ada@acme.example", "ci", "ops"]),
        ({"authorized_by__contains": "nobody"}, []),
        ({"creation_time__before": "2020-01-01"}, []),
        ({"last_updated__last_days": "1"}, ["ada@acme.example", "ci", "ops"]),
        ({"search": "TRAIN"}, ["ci"]),
        ({"search": "viewer"}, ["ci", "ops"]),
        ({"search": "OPS"}, ["ops"]),
        ({"search": "100%"}, []),
        ({"search": "e", "type__any_of": "group"}, ["ops"]),
        ({"subject__contains": ["o", "p"]}, ["ops"]),
        ({"authorized_by__starts_with": "mak", "subject__starts_with": "c"}, ["ci"]),
    ],
)
def test_filters_and_search_find_rules(
    browser: Client,
    plan: None,
    ci: Application,
    acme: Organization,
    query: dict[str, str],
    expected: list[str],
) -> None:
    factories.rule(factories.group("ops"), "Viewer", acme.east)
    for sort in ("subject", "-subject", "role"):
        url = f"{LIST}?{urlencode({**query, 'sort': sort}, doseq=True)}"
        page = browser.get(url, headers=LISTING)
        assert sorted(column(page, "subject")) == expected
        assert f"Access rules {len(expected)}" in text_of(page)


@pytest.mark.parametrize("filter_", ["creation_time", "last_updated"])
def test_time_filters_do_not_count_deleted_rules(
    browser: Client, plan: None, ci: Application, acme: Organization, filter_: str
) -> None:
    deleted = factories.rule(ci, "Editor", acme.west)
    AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    page = browser.get(LIST, {f"{filter_}__last_days": "1"})
    assert len(column(page, "subject")) == AccessRule.objects.living().count()
    assert f"Access rules {AccessRule.objects.living().count()} " in text_of(page)


def test_filters_find_only_visible_rules(
    dina: User, plan: None, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.application("elsewhere", ("Viewer", acme.dictation), ("Viewer", acme.training))
    for query in ({"role__any_of": "7"}, {"search": "viewer"}, {"type__any_of": "app"}):
        page = as_(dina).get(LIST, {**query, "sort": "subject"})
        assert column(page, "subject") == ["ci", "elsewhere"]
        assert column(page, "scope") == ["training Project"] * 2


def test_the_scope_filter_can_include_descendants(
    browser: Client, plan: None, ci: Application, acme: Organization
) -> None:
    factories.application("above", ("Viewer", acme.vision))
    assert column(browser.get(LIST, {"scope__any_of": acme.vision.pk}), "subject") == ["above"]
    page = browser.get(LIST, {"scope__within": acme.vision.pk, "sort": "subject"})
    assert column(page, "subject") == ["above", "ci"]
    assert "Scope is in or below any of vision" in text_of(page)


def test_the_filter_set_alone_has_the_rows_of_the_list(
    ada: User, ci: Application, acme: Organization
) -> None:
    rules, authority = AccessRule.objects.living(), authority_of(ada.subject)
    for query, found in [
        (f"scope__within={acme.vision.pk}&type__any_of=app", {"ci"}),
        ("role__any_of=7&role__any_of=999", {"ci"}),
        (f"scope__any_of={acme.vision.pk}", set()),
        ("time__since=x", {"ci", ada.email}),
    ]:
        filters = AccessRuleFilterSet(QueryDict(query), rules, context=authority)
        assert set(filters.qs.values_list("subject__name", flat=True)) == found


def test_the_creator_of_an_application_is_not_searched(
    browser: Client, plan: None, ci: Application, acme: Organization
) -> None:
    text = search_text_of("ci", "zoe@acme.example")
    Application.objects.filter(pk=ci.pk).update(created_by="zoe@acme.example", search_text=text)
    factories.rule(factories.group("team zoe"), "Viewer", acme.east)
    for query in ({"search": "zoe"}, {"subject__contains": "zoe"}):
        assert column(browser.get(LIST, query), "subject") == ["team zoe"]


def test_search_ignores_case_beyond_ascii(browser: Client, acme: Organization) -> None:
    factories.rule(factories.group("Größe ÄÖÜ"), "Viewer", acme.east)
    for query in ({"search": "GRÖSSE äöü"}, {"subject__is": "grösse ÄÖü"}):
        assert column(browser.get(LIST, query), "subject") == ["Größe ÄÖÜ"]


def test_invalid_url_parameters_are_reported(browser: Client, ci: Application) -> None:
    query = {"role__any_of": "x", "scope__any_of": "9" * 30, "sort": "subjekt", "type__any_of": "x"}
    page = browser.get(LIST, {**query, "changed": "x", "page": "0"})
    assert page.status_code == 200
    assert text_of(page).count("Ignored ") == 6


def _csv(client: Client, query: str) -> str:
    answer = client.get(f"{LIST}access-rules.csv?{query}")
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def test_the_csv_file_has_the_view_with_full_paths(browser: Client, ci: Application) -> None:
    rows = list(csv.DictReader(io.StringIO(_csv(browser, "subject__is=ci"))))
    assert [(r["Subject"], r["Type"], r["Role"], r["Scope"]) for r in rows] == [
        ("ci", "Application", "Viewer", "acme / east / vision / training")
    ]
    header = _csv(browser, "columns=subject,scope&subject__is=ci").splitlines()[0]
    assert header == "Subject,Scope"


# Deleting


def test_the_dialog_previews_effects_and_deletes_nothing(browser: Client, ci: Application) -> None:
    text = text_of(browser.get(f"{LIST}{_rule_of(ci).pk}/delete/"))
    assert "Delete access rule?" in text
    assert "ci is Viewer in project training. Removing this rule revokes, there and below:" in text
    assert "ci Application Loses:" in text
    assert _living(ci) == 1


def test_permissions_of_another_rule_are_not_lost(
    browser: Client, ci: Application, acme: Organization
) -> None:
    rule = _rule_of(ci)
    factories.rule(ci, "Viewer", acme.east)
    text = text_of(browser.get(f"{LIST}{rule.pk}/delete/"))
    assert "No effect: another rule grants the same access." in text


def test_deleting_returns_to_the_view_with_a_message(browser: Client, ci: Application) -> None:
    view = f"{LIST}?role__any_of=7"
    answer = browser.post(f"{LIST}{_rule_of(ci).pk}/delete/", {"from": view})
    assert answer.headers["Location"] == view
    assert "Access rule removed: ci is Viewer in project training." in text_of(browser.get(view))
    assert _living(ci) == 0
    assert AuditEvent.objects.filter(action="delete", entity_type="access_rule").count() == 1


def test_the_last_administrators_rule_cannot_be_deleted(browser: Client, ada: User) -> None:
    answer = browser.post(f"{LIST}{_rule_of(ada).pk}/delete/")
    assert answer.status_code == 409
    assert "The account needs a System administrator" in text_of(answer)
    assert _living(ada) == 1


def test_deleted_and_hidden_rules_are_not_found(
    browser: Client, dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    hidden = _rule_of(factories.application("hidden", ("Viewer", acme.dictation)))
    assert as_(dina).post(f"{LIST}{hidden.pk}/delete/").status_code == 404
    assert AccessRule.objects.living().filter(pk=hidden.pk).exists()
    for key in (0, 10**9, 10**30):
        answer = browser.get(f"{LIST}{key}/delete/", headers=DIALOG)
        assert answer.status_code == 404
        assert "Access rule not found" in text_of(answer)


def test_bulk_delete_previews_the_combined_effects(
    browser: Client, ci: Application, acme: Organization
) -> None:
    both = [_rule_of(ci), factories.rule(ci, "Viewer", acme.east)]
    query = urlencode({"action": "delete", "selected": [rule.pk for rule in both]}, doseq=True)
    text = text_of(browser.get(f"{LIST}selected/?{query}", follow=True))
    assert "Delete 2 access rules?" in text
    assert text.count("ci Application Loses:") == 2
    assert "No effect" not in text


def test_bulk_delete_reports_each_outcome(
    browser: Client, ada: User, ci: Application, acme: Organization
) -> None:
    chosen = [_rule_of(ci).pk, _rule_of(ada).pk, 10**6]
    answer = browser.post(f"{LIST}bulk/delete/", {"selected": chosen}, headers=DIALOG)
    text = text_of(answer)
    assert "1 of 3 done, 2 not" in text
    assert "ci access rule removed: Viewer in project training" in text
    assert "Not done: The account needs a System administrator" in text
    assert "1 access rule not found Not done: already deleted" in text
    assert "changed" in answer.headers["HX-Trigger"]
    assert (_living(ci), _living(ada)) == (0, 1)


def test_bulk_delete_keeps_rules_the_caller_cannot_delete(
    ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.custom_role("Rule reader", access_rules="r")
    rita = factories.person("rita@acme.example", "Rule reader", factories.account())
    factories.rule(rita, "Research manager", acme.speech)
    other = factories.application("other", ("Viewer", acme.dictation))
    chosen = {"selected": [_rule_of(ci).pk, _rule_of(other).pk]}
    text = text_of(as_(rita).get(f"{LIST}bulk/delete/", chosen))
    assert "Delete access rule?" in text
    assert "You can't delete access rules in the scopes of these: ci is Viewer in project" in text
    report = text_of(as_(rita).post(f"{LIST}bulk/delete/", chosen))
    assert "1 of 2 done, 1 not" in report
    assert "Not done: You need the “Delete access rules” permission in project training." in report
    assert (_living(ci), _living(other)) == (1, 0)


def test_the_bulk_preview_has_a_constant_number_of_queries(
    browser: Client, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = []
    for number in range(10):
        member = factories.application(f"app-{number}", ("Viewer", acme.east))
        keys.append(_rule_of(member).pk)
        ops = factories.group(f"ops-{number}", member)
        keys.append(factories.rule(ops, "Viewer", acme.west).pk)
    for selected in (keys[:2], keys):
        with django_assert_num_queries(7):
            browser.get(f"{LIST}bulk/delete/", {"selected": selected})


def test_an_empty_selection_redirects_to_the_list(browser: Client) -> None:
    assert browser.get(f"{LIST}bulk/delete/").url == LIST
    assert browser.post(f"{LIST}bulk/delete/", {"selected": "x"}).url == LIST
    page = browser.get(f"{LIST}selected/", {"action": "delete"}, follow=True)
    assert "Select an access rule first." in text_of(page)
