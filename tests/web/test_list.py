"""The Applications table: its content, visibility and order."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import LISTING, Organization, SignedIn, column, linked_url, text_of

LIST = "/applications/"
QUERIES = 7  # session, user, authority; preference, count, page, and the rules of the page


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def _application(name: str, **fields: object) -> Application:
    application = factories.application(name)
    Application.objects.filter(pk=application.pk).update(**fields)
    return application


def test_columns_match_the_product(browser: Client, acme: Organization) -> None:
    factories.application("ci", ("L1 researcher", acme.east))
    page = text_of(browser.get(LIST))
    headers = (
        "Application Client ID Access rule(s) Last login Created by Creation time Last updated"
    )
    assert headers in page


def test_row_shows_all_columns(browser: Client, acme: Organization) -> None:
    factories.application("ci", ("L1 researcher", acme.east))
    moments = {
        "created_at": datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
        "updated_at": datetime(2026, 4, 2, 10, 6, tzinfo=UTC),
        "last_login": timezone.now() - timedelta(hours=3, minutes=5),
    }
    Application.objects.update(**moments)
    page = browser.get(LIST)
    assert column(page, "application") == ["ci"]
    assert column(page, "client_id") == ["ci"]
    assert column(page, "access_rules") == ["L1 researcher in east"]
    assert column(page, "last_login") == ["3 hours ago"]
    assert column(page, "created_by") == [factories.MAKER]
    assert column(page, "creation_time") == ["1 Mar 2026, 09:05 UTC"]
    assert column(page, "last_updated") == ["2 Apr 2026, 10:06 UTC"]
    assert 'datetime="2026-03-01T09:05:00+00:00"' in page.content.decode()
    exact = f'title="{moments["last_login"]:%-d %b %Y, %H:%M:%S} UTC"'
    assert exact in page.content.decode()


def test_row_without_login_or_rules_shows_never_and_none(browser: Client) -> None:
    factories.application("idle")
    page = browser.get(LIST)
    assert column(page, "last_login") == ["Never"]
    assert column(page, "access_rules") == ["None"]


def test_first_rule_is_shown_and_others_are_counted(browser: Client, acme: Organization) -> None:
    scopes = (acme.east, acme.west, acme.vision)
    factories.application("busy", *[("Viewer", scope) for scope in scopes])
    (cell,) = column(browser.get(LIST), "access_rules")
    # Wide screens also show the second rule; CSS shows one of the two counts.
    assert cell == "Viewer in east , Viewer in west +2 +1"


def test_disabled_application_has_a_badge(browser: Client) -> None:
    application = factories.application("paused")
    application.subject.enabled = False
    application.subject.save()
    assert column(browser.get(LIST), "application") == ["paused Disabled"]


def test_deleted_rule_is_not_shown(browser: Client, acme: Organization) -> None:
    factories.application("ci", ("Viewer", acme.east))
    Application.objects.get().subject.access_rules.update(deleted_at=timezone.now())
    assert column(browser.get(LIST), "access_rules") == ["None"]


@pytest.fixture
def three(acme: Organization) -> None:
    """Three applications that sort as alpha, beta, gamma by each column."""
    rules = {"alpha": "L1 researcher", "beta": "ML engineer", "gamma": "Viewer"}
    for days, (name, role) in enumerate(rules.items(), start=1):
        moment = datetime(2026, 1, days, tzinfo=UTC)
        _application(
            name,
            created_by=f"{name}@acme.example",
            created_at=moment,
            updated_at=moment,
            last_login=moment,
        )
        factories.rule(Application.objects.get(subject__name=name), role, acme.east)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "header",
    [
        "application",
        "client_id",
        "access_rules",
        "last_login",
        "created_by",
        "creation_time",
        "last_updated",
    ],
)
def test_headers_sort_both_ways_and_show_the_direction(browser: Client, header: str) -> None:
    up, down = browser.get(LIST, {"sort": header}), browser.get(LIST, {"sort": f"-{header}"})
    assert column(up, "application") == ["alpha", "beta", "gamma"]
    assert column(down, "application") == ["gamma", "beta", "alpha"]
    for page, direction, next_url in (
        (up, "ascending", f"-{header}"),
        (down, "descending", header),
    ):
        content = page.content.decode()
        assert re.search(rf'class="column-{header}"[^>]* aria-sort="{direction}"', content)
        assert content.count("aria-sort") == 1
        assert f'id="sort-{header}" href="{LIST}?sort={next_url}"' in content


def test_newest_comes_first_by_default(browser: Client, three: None) -> None:
    assert column(browser.get(LIST), "application") == ["gamma", "beta", "alpha"]


@pytest.mark.usefixtures("three")
def test_empty_values_sort_first(browser: Client) -> None:
    factories.application("bare")
    for header in ("last_login", "access_rules"):
        assert column(browser.get(LIST, {"sort": header}), "application")[0] == "bare"
        assert column(browser.get(LIST, {"sort": f"-{header}"}), "application")[-1] == "bare"


@pytest.mark.parametrize("sort", ["nothing", "subject__name", "-", "", "application,pk", "\x00"])
def test_unknown_sort_uses_the_default_order(browser: Client, three: None, sort: str) -> None:
    page = browser.get(LIST, {"sort": sort})
    assert column(page, "application") == ["gamma", "beta", "alpha"]


def test_paging_shows_each_row_once_even_with_equal_values(browser: Client) -> None:
    moment = timezone.now()
    for number in range(45):
        _application(f"app-{number:02}", created_at=moment)
    by_id = list(Application.objects.order_by("pk").values_list("subject__name", flat=True))
    for sort in ("creation_time", "-creation_time", "last_login", "-access_rules"):
        pages = [browser.get(LIST, {"sort": sort})]
        for _ in range(2):
            pages.append(browser.get(linked_url(pages[-1], "next")))
        back = [pages[-1]]
        for _ in range(2):
            back.append(browser.get(linked_url(back[-1], "prev")))
        assert [column(page, "application") for page in back[::-1]] == [
            column(page, "application") for page in pages
        ]
        jumps = [browser.get(LIST, {"sort": sort, "page": page}) for page in (1, 2, 3)]
        names = [column(page, "application") for page in jumps]
        assert names == [column(page, "application") for page in pages]
        assert column(browser.get(LIST, {"sort": sort, "page": "last"}), "application") == names[2]
        assert [len(page) for page in names] == [20, 20, 5]
        shown = [name for page in names for name in page]
        assert shown == (by_id[::-1] if sort.startswith("-") else by_id)
    assert "Applications 45" in text_of(pages[0])
    assert "21\u201340 of 45" in text_of(pages[1])


def test_page_has_a_text_for_screen_readers(browser: Client) -> None:
    for number in range(21):
        factories.application(f"app-{number:02}")
    page = browser.get(LIST, {"page": "2", "sort": "-last_login"}).content.decode()
    assert 'data-live-region-text="21 rows, sorted by Last login, descending, page 2"' in page
    found = browser.get(LIST, {"search": "app-07"}).content.decode()
    assert 'data-live-region-text="1 row, sorted by Creation time, descending"' in found


def test_sorting_returns_to_the_first_page(browser: Client) -> None:
    for number in range(21):
        factories.application(f"app-{number:02}")
    content = browser.get(LIST, {"page": "2"}).content.decode()
    assert f'id="sort-application" href="{LIST}?sort=application"' in content


@pytest.mark.parametrize(
    ("page", "shown"), [("0", 20), ("-1", 20), ("99", 1), ("9" * 40, 20), ("x", 20)]
)
def test_page_out_of_range_shows_the_nearest_page(browser: Client, page: str, shown: int) -> None:
    for number in range(21):
        factories.application(f"app-{number:02}")
    answer = browser.get(LIST, {"page": page})
    assert answer.status_code == 200
    assert len(column(answer, "application")) == shown
    assert "Ignored page “" in text_of(answer)


def test_page_number_to_jump_to_is_limited_to_the_last_page(browser: Client) -> None:
    for number in range(41):
        factories.application(f"app-{number:02}")
    field = re.search(r'<input name="page"[^>]*>', browser.get(LIST).content.decode())
    assert field
    assert 'max="3"' in field[0]


def test_query_count_does_not_grow_with_the_rows(
    browser: Client,
    acme: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    factories.application("only", ("Viewer", acme.east))
    with django_assert_num_queries(QUERIES):
        browser.get(LIST)
    for number in range(30):
        factories.application(f"app-{number:02}", ("Viewer", acme.east), ("Viewer", acme.west))
    with django_assert_num_queries(QUERIES):
        assert len(column(browser.get(LIST), "application")) == 20


def test_list_does_not_read_secret_hashes(browser: Client) -> None:
    application = factories.application("ci")
    with CaptureQueriesContext(connection) as queries:
        shown = browser.get(LIST)
        pinned = browser.get(LIST, {"search": "nothing", "changed": str(application.pk)})
    assert column(shown, "application") == ["ci"]
    assert column(pinned, "application") == ["ci Changed, shown out of order"]
    assert not [query for query in queries.captured_queries if "secret_hash" in query["sql"]]


def test_department_reader_sees_only_applications_with_a_rule_there(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.application("ours", ("Viewer", acme.training), ("Viewer", acme.dictation))
    factories.application("theirs", ("Viewer", acme.dictation))
    factories.application("bare")
    page = as_(dina).get(LIST)
    assert column(page, "application") == ["ours"]
    assert column(page, "access_rules") == ["Viewer in training"]
    assert "Applications 1" in text_of(page)
    for unseen in ("theirs", "bare", "dictation"):
        assert unseen not in page.content.decode()


def test_list_without_permission_shows_the_reason(vera: User, as_: SignedIn) -> None:
    page = as_(vera).get(LIST)
    assert page.status_code == 403
    assert "You need the “View applications” permission." in text_of(page)
    assert "vera@acme.example" in text_of(page), "the frame is shown, so that Vera can sign out"
    button = '<a class="button" href="/account/">See your access</a>'
    assert button in page.content.decode(), "the button does not lead back to the denied page"


def test_only_allowed_actions_are_shown(
    ada: User, dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.application("ci", ("Viewer", acme.training))
    buttons = ["NEW APPLICATION", "REGENERATE CLIENT SECRET", "DISABLE", "ENABLE", "DELETE"]
    admin, reader = text_of(as_(ada).get(LIST)), text_of(as_(dina).get(LIST))
    assert [button for button in [*buttons, "ACCESS RULES"] if button not in admin] == []
    assert [button for button in buttons if button in reader] == []
    assert "ACCESS RULES" in reader


def test_row_menu_ends_with_the_destructive_action(browser: Client) -> None:
    factories.application("ci")
    menu = browser.get(LIST).content.decode().split('id="row-menu"')[1].split("</form>")[0]
    assert menu.index("data-row-history") < menu.index('value="access-rules"')
    last = max(menu.rindex("<button"), menu.rindex("<a "))
    assert 'value="delete"' in menu[last:]


def test_empty_list_explains_the_page(browser: Client) -> None:
    page = text_of(browser.get(LIST))
    assert "No applications yet" in page
    assert "NEW APPLICATION" in page


def test_list_without_visible_rows_is_not_called_empty(dina: User, as_: SignedIn) -> None:
    page = text_of(as_(dina).get(LIST))
    assert "No applications you can see" in page
    assert "NEW APPLICATION" not in page


def test_htmx_gets_the_listing_and_a_vary_header(browser: Client) -> None:
    factories.application("ci")
    page = browser.get(LIST)
    part = browser.get(LIST, headers=LISTING)
    assert "<html" in page.content.decode()
    assert "<html" not in part.content.decode()
    assert column(part, "application") == ["ci"]
    assert "HX-Request" in page.headers["Vary"]
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize("action", ["access-rules", "regenerate", "enable", "disable", "delete"])
def test_toolbar_opens_the_dialog_of_the_selected_row(browser: Client, action: str) -> None:
    id_ = factories.application("ci").pk
    answer = browser.get(f"{LIST}selected/", {"action": action, "selected": str(id_)})
    assert answer.url == f"{LIST}{id_}/{action}/"


@pytest.mark.parametrize(
    "query",
    [{}, {"action": "delete"}, {"action": "delete", "selected": "x"}, {"action": "//evil.example"}],
)
def test_toolbar_without_a_selection_asks_for_one(browser: Client, query: dict[str, str]) -> None:
    answer = browser.get(f"{LIST}selected/", query, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "Select an application first." in text_of(answer)


def test_url_can_select_a_row(browser: Client) -> None:
    id_ = factories.application("ci").pk
    factories.application("other")
    content = browser.get(LIST, {"selected": str(id_)}).content.decode()
    assert content.count(" checked") == 1
    assert f'id="select-{id_}" aria-label="ci" checked' in content


def test_reading_the_list_writes_nothing(
    browser: Client, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.application("ci", ("Viewer", acme.east))
    with django_assert_num_queries(QUERIES) as queries:
        browser.get(LIST, {"sort": "application"})
    assert {query["sql"].split()[0] for query in queries.captured_queries} == {"SELECT"}
