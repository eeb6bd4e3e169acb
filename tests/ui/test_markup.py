"""HTML fragments: escaping, highlighting and times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils.safestring import SafeString

from runai_access.lists.markup import badge, clip, copy_button, icon, marked, markup, moment, muted

NOON = datetime(2026, 3, 1, 12, 5, 9, tzinfo=UTC)


def test_markup_escapes_text_but_not_html() -> None:
    html = markup("<p>{} {}</p>", "<i>&'\"", SafeString("<b>yes</b>"))
    assert html == "<p>&lt;i&gt;&amp;&#x27;&quot; <b>yes</b></p>"
    assert isinstance(html, SafeString)


def test_braces_in_values_are_not_replaced() -> None:
    assert markup("<p>{}</p>", "{0} {name}") == "<p>{0} {name}</p>"


@pytest.mark.parametrize(
    "fragment", [badge, muted, clip, lambda text: copy_button("id", text), icon]
)
def test_every_fragment_escapes_its_text(fragment) -> None:  # type: ignore[no-untyped-def]  # of different types
    assert "<i>" not in fragment('"><i>')
    assert "&quot;&gt;&lt;i&gt;" in fragment('"><i>')


@pytest.mark.parametrize("term", ["", "b", "x"])
def test_highlighting_escapes_even_html(term: str) -> None:
    assert "<b>" not in marked(SafeString("<b>bold</b>"), term)


@pytest.mark.parametrize("time", [NOON, NOON.astimezone(timezone(timedelta(hours=5)))])
def test_time_is_shown_in_utc_to_the_minute_or_second(time: datetime) -> None:
    shown = moment(time)
    assert 'datetime="2026-03-01T12:05:09+00:00"' in shown
    assert '>1 Mar 2026, 12:05 <span class="zone">UTC</span>' in shown
    assert ">1 Mar 2026, 12:05:09 <span" in moment(time, seconds=True)


@pytest.mark.parametrize("month", range(1, 13))
def test_month_is_abbreviated(month: int) -> None:
    time = NOON.replace(month=month)
    assert f">{time:%-d %b %Y, %H:%M} <span" in moment(time)


def test_relative_time_has_the_exact_time_as_tooltip() -> None:
    shown = moment(NOON, relative=True)
    assert 'title="1 Mar 2026, 12:05:09 UTC"' in shown
    assert shown.endswith((" ago</time>", "just now</time>"))
