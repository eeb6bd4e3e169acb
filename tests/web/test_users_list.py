"""The list of users."""

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.db.models import Q
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accessrules.models import Subject
from runai_access.accounts.models import User
from runai_access.accounts.tables import UserTable
from runai_access.lists.sorts import Sort
from tests import factories
from tests.plans import plan_of
from tests.web.conftest import LISTING, Organization, SignedIn, column, text_of

USERS = "/users/"
QUERIES = 8
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def listed(browser: Client, **query: str) -> list[str]:
    """Return the listed emails, without badges."""
    return named(browser.get(USERS, query, headers=LISTING))


def named(answer: HttpResponse) -> list[str]:
    return re.findall(r'row-name" href="[^"]*" title="([^"]*)"', answer.content.decode())


def test_row_shows_groups_rules_and_times(browser: Client, acme: Organization) -> None:
    bo = factories.person("bo@acme.example", "Viewer", acme.training)
    factories.rule(bo, "L1 researcher", acme.speech)
    factories.group("pilots", bo)
    factories.group("engineers", bo)
    User.objects.filter(pk=bo.pk).update(last_login=timezone.now() - timedelta(hours=3))
    answer = browser.get(USERS, {"search": "bo@"})
    assert named(answer) == ["bo@acme.example"]
    assert column(answer, "groups") == ["engineers, pilots"]
    assert column(answer, "access_rules")[0].startswith("Viewer in training")
    assert column(answer, "last_login") == ["3 hours ago"]
    assert column(answer, "created_by") == [factories.MAKER]


def test_badges_are_shown_next_to_the_email(browser: Client) -> None:
    factories.person("bo@acme.example")
    Subject.objects.filter(name="bo@acme.example").update(enabled=False)
    soon = timezone.now() + timedelta(days=1)
    nina, late = factories.person("nina@acme.example"), factories.person("late@acme.example")
    User.objects.filter(pk=nina.pk).update(temporary_password_until=soon)
    User.objects.filter(pk=late.pk).update(temporary_password_until=soon - timedelta(days=2))
    assert column(browser.get(USERS, {"sort": "user"}), "user") == [
        "ada@acme.example",
        "bo@acme.example Disabled",
        "late@acme.example Password expired",
        "nina@acme.example Temporary password",
    ]


def test_newest_users_come_first(browser: Client) -> None:
    old = factories.person("old@acme.example")
    User.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    assert listed(browser) == ["ada@acme.example", "old@acme.example"]


@pytest.mark.parametrize("name", list(UserTable.titles()))
def test_all_columns_sort_both_ways(browser: Client, acme: Organization, name: str) -> None:
    bo = factories.person("bo@acme.example", "Viewer", acme.training)
    factories.group("engineers", bo)
    cid = factories.person("cid@acme.example")
    factories.group("pilots", cid)
    User.objects.filter(pk=cid.pk).update(last_login=timezone.now(), created_by="zoe")
    up = listed(browser, sort=name, size="20")
    assert sorted(up) == ["ada@acme.example", "bo@acme.example", "cid@acme.example"]
    assert listed(browser, sort=f"-{name}") == up[::-1]


def test_paging_shows_each_user_once(browser: Client) -> None:
    for number in range(45):
        made = factories.person(f"p{number:02}@acme.example")
        if number % 3 == 0:
            factories.group(f"g{number}", made)
    for sort in ("groups", "-groups", "user"):
        seen = [
            name
            for page in ("1", "2", "3")
            for name in listed(browser, sort=sort, size="20", page=page)
        ]
        assert len(seen) == len(set(seen)) == 46, sort


FILTERS = {
    "user__contains=BO": ["bo@acme.example"],
    "user__is=BO@acme.example": ["bo@acme.example"],
    "groups__none=1": ["ada@acme.example", "cid@acme.example"],
    "access_rules__none=1": ["bo@acme.example", "cid@acme.example"],
    "status__is=disabled": ["cid@acme.example"],
    "status__is=enabled": ["ada@acme.example", "bo@acme.example"],
    "password__is=temporary": ["bo@acme.example"],
    "password__is=own": ["ada@acme.example", "cid@acme.example"],
    "sign_in__is=password": ["bo@acme.example"],
    "sign_in__is=single-sign-on": ["bo@acme.example", "cid@acme.example"],
    "sign_in__is=none": ["ada@acme.example"],
    "factors__is=passkey": ["bo@acme.example", "cid@acme.example"],
    "factors__is=app": ["bo@acme.example"],
    "factors__is=none": ["ada@acme.example"],
    "factors__is=app&factors__is=none": ["ada@acme.example", "bo@acme.example"],
    "last_login__never=1": ["bo@acme.example", "cid@acme.example"],
    "created_by__is=MAKER@acme.example": [
        "ada@acme.example", "bo@acme.example", "cid@acme.example",
    ],
    "search=bo%40": ["bo@acme.example"],
    "search=system%20admin": ["ada@acme.example"],
    "search=acme.example&status__is=disabled": ["cid@acme.example"],
}  # fmt: skip


def _give_factors(bo: User, cid: User) -> None:
    """Connect both to a provider; give Bo an app and two passkeys, and Cid a passkey."""
    for user in (bo, cid):
        SocialAccount.objects.create(user=user, provider="https://id.example", uid=user.email)
    for user, type_ in ((bo, "totp"), (bo, "webauthn"), (bo, "webauthn"), (cid, "webauthn")):
        Authenticator.objects.create(user=user, type=type_, data={"name": "key"})
        Authenticator.objects.get_or_create(user=user, type="recovery_codes", data={})


def test_sign_in_and_factors_are_columns(browser: Client) -> None:
    bo, cid = (
        factories.person("bo@acme.example", password="x"),
        factories.person("cid@acme.example"),
    )
    _give_factors(bo, cid)
    query = {"columns": "user,sign_in,factors", "sort": "user"}
    page = browser.get(USERS, query)
    assert column(page, "sign_in") == ["None", "Password, single sign-on", "Single sign-on"]
    assert column(page, "factors") == ["None", "2 passkeys, authenticator app", "Passkey"]
    answer = browser.get("/users/users.csv", query)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(StringIO(text)))[:2] == [
        ["User", "Sign-in", "Second factors"],
        ["ada@acme.example", "", ""],
    ]
    assert "2 passkeys, authenticator app" in text


@pytest.mark.parametrize("query", FILTERS)
def test_list_can_be_filtered(browser: Client, query: str) -> None:
    bo, cid = factories.person("bo@acme.example"), factories.person("cid@acme.example")
    factories.group("engineers", bo)
    User.objects.filter(pk=bo.pk).update(
        temporary_password_until=timezone.now(), password="argon2$"
    )
    Subject.objects.filter(pk=cid.pk).update(enabled=False)
    _give_factors(bo, cid)
    assert named(browser.get(f"{USERS}?{query}&sort=user")) == FILTERS[query]


def test_list_can_be_filtered_by_group(browser: Client) -> None:
    engineers = factories.group("engineers", factories.person("bo@acme.example"))
    factories.group("pilots", factories.person("cid@acme.example"))
    answer = browser.get(USERS, {"groups__any_of": str(engineers.pk)})
    assert column(answer, "user") == ["bo@acme.example"]
    assert "Groups is any of engineers" in text_of(answer)
    dialog = browser.get("/users/filter/", {"column": "groups", "find": "PIL"})
    assert "pilots" in text_of(dialog)
    assert "engineers" not in text_of(dialog)


@pytest.mark.parametrize("value", ["x", "00000000-0000-0000-0000-000000000000"])
def test_invalid_group_filter_is_reported(browser: Client, value: str) -> None:
    answer = browser.get(USERS, {"groups__any_of": value})
    assert answer.status_code == 200
    assert "not one of the options" in text_of(answer)


def test_list_shows_only_visible_users_and_groups(
    as_: SignedIn, acme: Organization, dina: User
) -> None:
    near = factories.person("near@acme.example", "Viewer", acme.training)
    factories.person("far@acme.example", "Viewer", acme.dictation)
    shared, other = factories.group("shared", near), factories.group("other", near)
    factories.rule(shared, "Viewer", acme.training)
    factories.rule(other, "Viewer", acme.dictation)
    browser = as_(dina)
    answer = browser.get(USERS, {"sort": "user"})
    assert listed(browser, sort="user") == ["dina@acme.example", "near@acme.example"]
    assert column(answer, "groups")[1] == "shared"
    assert "NEW USER" not in text_of(answer)
    assert listed(browser, search="far@") == []
    assert listed(browser, search="dictation") == []
    found = browser.get("/users/filter/", {"column": "groups"})
    assert "other" not in text_of(found)


def test_list_without_permission_is_denied(as_: SignedIn, vera: User) -> None:
    assert as_(vera).get(USERS).status_code == 403


def test_file_matches_the_view(browser: Client, acme: Organization) -> None:
    bo = factories.person("bo@acme.example", "Viewer", acme.training)
    factories.rule(bo, "L1 researcher", acme.speech)
    factories.group("pilots", bo)
    factories.group("=engineers", bo)
    query = {"search": "bo@", "columns": "user,groups,access_rules,last_login,status"}
    answer = browser.get("/users/users.csv", query)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(StringIO(text))) == [
        ["User", "Groups", "Access rule(s)", "Last login (UTC)", "Status"],
        [
            "bo@acme.example",
            "'=engineers; pilots",
            "Viewer in training; L1 researcher in speech",
            "",
            "enabled",
        ],
    ]


@pytest.mark.parametrize("number", [1, 12])
def test_query_count_does_not_depend_on_the_number_of_rows(
    browser: Client,
    acme: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for count in range(number):
        made = factories.person(f"p{count}@acme.example", "Viewer", acme.training)
        factories.group(f"g{count}", made)
    with django_assert_num_queries(QUERIES):
        assert browser.get(USERS).status_code == 200


def test_users_and_groups_are_tabs(browser: Client, as_: SignedIn, acme: Organization) -> None:
    content = browser.get(USERS).content.decode()
    assert '<a href="/users/" aria-current="page">Users</a>' in content
    assert '<a href="/groups/">Groups</a>' in content
    operator = factories.person("olga@acme.example", "Cloud operator")
    assert "/groups/" not in as_(operator).get(USERS).content.decode()


@pytest.mark.parametrize("field", ["email", "display_name"])
def test_sorts_by_text_read_an_index(field: str) -> None:
    sort = Sort.text(field)
    page = User.objects.annotate(sort_key=sort.by).order_by(*sort.order(Q(), is_descending=False))
    assert f"user_by_{field}" in plan_of(*page.values("pk")[:20].query.sql_with_params())


@pytest.mark.parametrize("sort", ["status", "-status"])
def test_order_of_status_reads_only_the_subjects_of_users(browser: Client, sort: str) -> None:
    factories.person("bo@acme.example")
    Subject.objects.filter(name="bo@acme.example").update(enabled=False)
    with CaptureQueriesContext(connection) as queries:
        emails = listed(browser, sort=sort)
    assert emails.index("bo@acme.example") == (0 if sort == "status" else len(emails) - 1)
    (keys,) = (
        found
        for one in queries.captured_queries
        for found in re.findall(r" IN \((SELECT .*LIMIT \d+)\)", one["sql"])
        if "accounts_user" in found
    )
    assert "JOIN" not in keys
