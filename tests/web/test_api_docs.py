"""The API page of the console."""

import html
import json
import re

import pytest
from django.test import Client

from tests import factories
from tests.openapi import document

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
PAGE = "/api/docs/"


@pytest.fixture
def page(client: Client) -> str:
    client.force_login(factories.person("ada@acme.example"))
    return client.get(PAGE).content.decode()


def test_page_shows_every_operation_of_the_schema(page: str) -> None:
    for path, item in document()["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page


def test_every_link_to_a_schema_has_a_target(page: str) -> None:
    named = set(page.split('href="#schema-')[1:])
    assert named
    for rest in named:
        assert f'id="schema-{rest.partition(chr(34))[0]}"' in page


def test_page_shows_summaries_and_examples(page: str) -> None:
    listing = document()["paths"]["/api/v1/apps"]["get"]
    assert listing["summary"] in page
    shown = [
        html.unescape(text)
        for text in re.findall(r"<pre><code>(.*?)</code></pre>", page, flags=re.DOTALL)
    ]
    answer = listing["responses"]["200"]["content"]["application/json"]["example"]
    assert json.dumps(answer, indent=2) in shown
    assert any(text.startswith("grant_type=client_credentials&client_id=") for text in shown)


def test_page_loads_nothing_from_other_hosts(page: str) -> None:
    """Only examples, which are text, contain URLs of other hosts."""
    assert not re.search(r"""(?:src|href|action|url\()[=("' ]*(?:https?:)?//""", page)
    assert not re.search(r"<(?:iframe|object|embed|meta http-equiv)", page)


def test_anonymous_user_is_redirected_to_sign_in(client: Client) -> None:
    answer = client.get(PAGE)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")
