"""The API's own page."""

import pytest
import yaml
from django.test import Client

from tests import factories
from tests.servers import ROOT

pytestmark = pytest.mark.django_db
PAGE = "/api/docs/"


@pytest.fixture
def page(client: Client) -> str:
    client.force_login(factories.person("ada@acme.example"))
    return client.get(PAGE).content.decode()


def test_every_operation_of_the_document_is_on_the_page(page: str) -> None:
    document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    for path, item in document["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page


def test_every_schema_that_an_answer_names_can_be_followed(page: str) -> None:
    named = set(page.split('href="#schema-')[1:])
    assert named
    for rest in named:
        assert f'id="schema-{rest.partition(chr(34))[0]}"' in page


def test_nothing_on_the_page_comes_from_another_host(page: str) -> None:
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client) -> None:
    answer = client.get(PAGE)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")
