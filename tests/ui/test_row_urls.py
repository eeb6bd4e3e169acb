"""URLs of rows, dialogs and histories."""

from uuid import UUID, uuid4

import pytest
from django.urls import reverse

from runai_access.row_urls import history_url, row_url
from runai_access.ui.dialogs import dialog_url


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        ("applications:detail", [uuid4(), uuid4(), UUID(int=0)]),
        ("applications:access-rules", [uuid4(), uuid4()]),
        ("roles:detail", [1, 987_654_321, 987]),
        ("activity:event", [5_000_000]),
    ],
)
def test_row_url_equals_reverse(view: str, keys: list[int | UUID]) -> None:
    for key in keys:
        assert row_url(view, key) == reverse(view, args=[key])
        assert dialog_url(view, key) == reverse(view, args=[key])
        assert dialog_url(view, str(key)) == reverse(view, args=[key])


def test_dialog_url_contains_the_url_to_return_to() -> None:
    key = uuid4()
    address = dialog_url("applications:access-rules", key, back="/applications/?a=1&b=2", add="1")
    expected = f"/applications/{key}/access-rules/?add=1&from=%2Fapplications%2F%3Fa%3D1%26b%3D2"
    assert address == expected


def test_history_url_filters_by_type_and_id() -> None:
    assert history_url("project", "a b/ä") == (
        f"{reverse('activity:list')}?history__is=project%3Aa+b%2F%C3%A4"
    )
