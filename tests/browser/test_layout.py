"""Every page, dialog and state at every width: one visit to each, which resizes the window."""

import re
from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import expect

from tests import sizes
from tests.browser.conftest import CLUSTER, DEPARTMENT, Scheme, Visit, Visitor, axe
from tests.factories import UNKNOWN_ID
from tests.servers import Server

pytestmark = pytest.mark.slow
# The layout changes at widths of 720, 1180 and 1520 pixels: windows on both sides of most of them, a
# phone, and one of 1280 x 1024 at 400 % zoom.
WINDOWS = [(320, 800), (320, 256), (390, 844), (719, 800), (720, 800), (1179, 768), (1920, 1080)]
# Other tablets, and 200 % zoom.
if sizes.IS_LARGE:
    WINDOWS += [(640, 720), (768, 1024), (820, 1180), (1024, 768), (640, 512)]
# The last one, in which the next page opens.
WINDOWS.append((1440, 900))
# `make test-all` runs axe on every state in every window.
TYPICAL_WINDOWS = ((720, 800), (1440, 900))
TYPICAL = (
    "overview/", "applications/?search=layout", "applications/new/", "roles/3/", "access/subjects/",
    "scopes/?open=", "a selected row", "a dialog with a scope picker", "a secret",
)  # fmt: skip
LONG = "x" * 60
# Texts whose visible part is narrower than their longest word and than 8 characters, words that are
# broken although they are short, and sideways scroll of the page.
FAULTS = r"""() => {
    const faults = new Set();
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.add(`scrolls to ${root.scrollWidth}`);
    const range = document.createRange();
    const hidesMore = (style) => style.overflowX === "hidden" || style.overflowX === "clip";
    const visible = (element, left, right) => {
        for (let around = element; around !== document.body; around = around.parentElement) {
            const style = getComputedStyle(around);
            if (style.overflowX === "visible" || style.display === "inline") continue;
            if (!hidesMore(style)) break;  // a part of the page that scrolls
            const box = around.getBoundingClientRect();
            [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
        }
        return right - left;
    };
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const { data, parentElement: element } = texts.currentNode;
        const shown = { visibilityProperty: true };
        if (!data.trim() || !element.checkVisibility(shown)) continue;
        if (element.closest("option, script, .visually-hidden, .matrix-word")) continue;
        if (element.getBoundingClientRect().width <= 1 && element.closest(".customize")) continue;
        const style = getComputedStyle(element);
        const enough = parseFloat(style.fontSize) * 4.3;  // about 8 characters
        let longest = 0;
        for (const word of data.matchAll(/[^\s\/-]+/g)) {
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            const parts = [...range.getClientRects()];
            const width = parts.reduce((sum, part) => sum + part.width, 0);
            longest = Math.max(longest, width);
            const lines = new Set(parts.map((part) => Math.round(part.top))).size;
            const isClamped = style.webkitLineClamp !== "none";
            if (lines > 1 && width < enough && !isClamped && !element.closest("code")) {
                faults.add(`breaks “${word[0]}”`);
            }
        }
        range.selectNodeContents(texts.currentNode);
        const parts = [...range.getClientRects()];
        const left = Math.min(...parts.map((part) => part.left));
        const right = Math.max(...parts.map((part) => part.right));
        const width = visible(element, left, right);
        const isCut = width < right - left - 1;
        if (isCut && width < Math.min(longest, enough) - 1) faults.add(`cuts “${data.trim()}”`);
    }
    return [...faults];
}"""


@pytest.fixture(scope="module")
def made(server: Server, _organization: None) -> dict[str, str]:
    """Keys of an application, a user, a group and a scope with long and short names."""
    code = f"""
from tests import factories
from accessrules.models import AccessRule, Scope
from allauth.mfa.models import Authenticator
cluster = Scope.objects.get(name={CLUSTER!r})
department = factories.department("B", cluster)
project = factories.project("{LONG}", department)
application = factories.application("layout-{LONG}", ("Viewer", project), ("Editor", cluster))
deleted = factories.deleted_application("layout-deleted-{LONG}", ("Viewer", project))
for number in range(3):
    factories.application(f"layout-{{number}}", ("L1 researcher", department))
person = factories.person("layout.{LONG}@example.com", "Viewer", project)
Authenticator.objects.create(user=person, type="webauthn", data={{"name": "{LONG}"}})
group = factories.group("layout {LONG}", person)
rule = AccessRule.objects.filter(subject=application.subject).first()
secret = application.secrets.get()
keys = (application, person, group, project, department, deleted, rule, secret)
print(*(row.pk for row in keys))
"""
    result = server.command("shell", "-c", code)
    assert result.returncode == 0, result.stderr
    names = ("application", "user", "group", "project", "department", "deleted", "rule", "secret")
    return dict(zip(names, result.stdout.split()[-len(names) :], strict=True))


def _pages(made: dict[str, str]) -> Iterator[str]:
    application, project = f"applications/{made['application']}/", made["project"]
    user, group, access = (
        f"users/{made['user']}/", f"groups/{made['group']}/", f"access/subjects/{made['application']}/"
    )  # fmt: skip
    yield from (
        "overview/",
        "account/", "account/password/", "keys/", "activity/", "account/factors/new/",
        "account/factors/app/", "account/factors/recovery-codes/", "account/confirm/",
        "applications/", "applications/new/", "applications/columns/", "applications/download/",
        "applications/find-secret/",
        "applications/?bogus=1&sort=x&created_by__contains=a&last_login__never=1&search=x",
        "applications/?search=layout&columns=application,client_id,access_rules,created_by,status",
        "applications/filter/", "applications/filter/?column=scope",
        "applications/filter/?column=last_login", application, f"{application}access-rules/",
        f"{application}access-rules/?add=", f"{application}regenerate/", f"{application}disable/",
        f"{application}delete/", f"{application}contain/", f"{application}report/",
        f"{application}details/", f"{application}allowed-addresses/",
        f"{application}token-lifetime/", f"{application}like/", f"{application}secrets/new/",
        f"{application}secrets/{made['secret']}/revoke/",
        f"applications/bulk/delete/?selected={made['application']}",
        "applications/trash/?search=layout", f"applications/trash/{made['deleted']}/restore/",
        "access-rules/?search=layout", "access-rules/new/", f"access-rules/{made['rule']}/delete/",
        f"access/rules/{made['rule']}/changes/",
        "access-rules/?columns=subject,scope,role,authorized_by,creation_time,last_updated,type",
        "roles/", "roles/3/", "roles/compare/?role=3&role=1709",
        f"scopes/?open={made['department']}", "scopes/list/", "scopes/new/",
        f"scopes/{project}/move/", f"scopes/{project}/delete/", f"access/scopes/{project}/",
        "users/?search=layout", user, f"{user}groups/", f"{user}rename/", f"{user}reset-password/",
        f"{user}delete/", f"{user}reset-factors/", "users/new/", "groups/?search=layout",
         group, f"{group}members/",
        f"{group}delete/", "groups/new/", "groups/mappings/", "groups/mappings/new/",
        access, f"{access}?compare=layout-1", f"{access}?search=nothing-has-this-name", "system/",
        f"applications/{UNKNOWN_ID}/",
    )  # fmt: skip


def _check(visitor: Visitor, state: str) -> list[str]:
    """Return the faults of the page in each window, and those that axe finds."""
    faults = []
    for window in WINDOWS:
        visitor.page.set_viewport_size({"width": window[0], "height": window[1]})
        found = visitor.page.evaluate(FAULTS)
        for scheme in _schemes(state, window):
            found += visitor.accessibility_faults(scheme)
        faults += [f"{state} at {window[0]} x {window[1]}: {fault}" for fault in found]
    return faults


def _schemes(state: str, window: tuple[int, int]) -> Sequence[Scheme]:
    """Return the color schemes that axe checks. Many other tests check both on a desktop."""
    if sizes.IS_LARGE:
        return ("light", "dark")
    is_typical = state.startswith(TYPICAL)
    if window == WINDOWS[0]:
        return ("light", "dark") if is_typical else ("light",)
    return ("light",) if is_typical and window in TYPICAL_WINDOWS else ()


def test_pages_fit_every_window(visit: Visit, made: dict[str, str]) -> None:
    visitor = visit(viewport={"width": 1440, "height": 900})
    visitor.page.add_init_script(axe())  # cheaper than sending it to each page
    faults = []
    for path in _pages(made):
        visitor.page.goto(f"{visitor.url}/{path}")
        faults += _check(visitor, path)
    assert faults == []


def test_dialogs_and_selections_fit_every_window(
    visit: Visit, made: dict[str, str], name: str
) -> None:
    visitor = visit("applications/?search=layout", viewport={"width": 1440, "height": 900})
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.get_by_role("checkbox", name="layout-1", exact=True).check()
    faults = _check(visitor, "a selected row")
    expect(page.get_by_role("link", name="ADD FILTER")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    visitor.press("ACCESS RULES")
    visitor.press("ACCESS RULE")
    expect(page.get_by_label("Role", exact=True)).to_be_visible()
    faults += _check(visitor, "a dialog with a scope picker")
    page.keyboard.press("Escape")
    page.goto(f"{visitor.url}/scopes/?open={made['department']}")
    page.get_by_role("radio", name="B", exact=True).check()
    faults += _check(visitor, "a selected scope")
    page.goto(f"{visitor.url}/applications/?search={name}")
    visitor.create(name)
    faults += _check(visitor, "a secret")
    page.set_viewport_size({"width": 320, "height": 256})
    expect(dialog.locator("#issued-secret")).to_be_in_viewport()
    assert faults == []


def test_row_with_the_focus_shows_its_whole_texts(visit: Visit, made: dict[str, str]) -> None:
    page = visit(viewport={"width": 768, "height": 800}).page
    page.goto(f"{page.url}?search=layout-x")
    cut = """[...document.querySelectorAll("[data-row] .clip")]
        .filter((text) => text.scrollHeight > text.clientHeight + 1).length"""
    assert page.evaluate(cut) > 0
    assert page.locator("[data-row] .clip:not([title], [title] .clip)").count() == 0
    page.locator("[data-select-page]").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(cut) == 0


def test_first_row_and_first_field_are_visible_at_400_percent(
    visit: Visit, made: dict[str, str]
) -> None:
    visitor = visit(viewport={"width": 320, "height": 256})
    page = visitor.page
    for path, content in [
        ("applications/", "[data-row] a"), ("access-rules/", "[data-row] a"),
        ("roles/", "[data-row] a"), ("scopes/", "[data-row] a"), ("users/", "[data-row] a"),
        ("activity/", "[data-row] a"),
        ("applications/new/", "#name"), ("users/new/", "#email"), ("groups/new/", "#name"),
        ("access-rules/new/", "#find-subject"), ("applications/filter/", ".choices-links a"),
    ]:  # fmt: skip
        page.goto(f"{visitor.url}/{path}")
        expect(page.locator(content).first, path).to_be_in_viewport()


def test_typing_in_a_search_does_not_move_the_dialog(visit: Visit, made: dict[str, str]) -> None:
    visitor = visit(viewport={"width": 1024, "height": 900})
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    for path, press, field in [
        (f"applications/{made['application']}/", ["ACCESS RULES", "ACCESS RULE"], "Search scopes"),
        ("access-rules/", ["NEW ACCESS RULE"], "Search subjects"),
        ("access-rules/", ["NEW ACCESS RULE"], "Search scopes"),
        ("scopes/", ["NEW SCOPE"], "Search scopes"),
    ]:
        page.goto(f"{visitor.url}/{path}")
        for label in press:
            visitor.press(label)
        search = dialog.get_by_role("searchbox", name=field)
        search.focus()
        before = dialog.bounding_box()
        place = search.bounding_box()
        for text in (DEPARTMENT[:8], DEPARTMENT, "nothing-has-this-name", ""):
            with page.expect_response(re.compile("find|new|access-rules")):
                search.fill(text)
            expect(page.locator(".htmx-request")).to_have_count(0)
            assert dialog.bounding_box() == before, (path, text)
            assert search.bounding_box() == place, (path, text)


# The widths of landscape and portrait pages without their margins, in CSS pixels.
PAPERS = {"A4": (1032, 703), "Letter": (965, 725)}


def test_pages_are_printed_whole(visit: Visit, made: dict[str, str]) -> None:
    visitor = visit()
    page = visitor.page
    columns = "subject,type,role,scope,authorized_by,creation_time,last_updated"
    lists = (f"access-rules/?search=layout&columns={columns}", "users/?search=layout")
    details = (f"applications/{made['application']}/", f"access/subjects/{made['application']}/")
    page.emulate_media(media="print")
    for path in (*lists, *details):
        page.goto(f"{visitor.url}/{path}")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".rail")).to_be_hidden()
        expect(page.locator(".customize, .toolbar-plain").first).to_be_hidden()
        for landscape, portrait in PAPERS.values():
            width = landscape if path in lists else portrait
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(FAULTS) == [], (path, width)
    page.goto(f"{visitor.url}/{lists[0]}")
    expect(page.locator(".chips")).to_contain_text("layout")
    for paper in PAPERS:
        pdf = page.pdf(format=paper, prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1, "no empty page"
