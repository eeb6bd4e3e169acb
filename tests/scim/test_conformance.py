"""scim2-tester, the conformance tests of SCIM service providers, reports no error."""

import uuid
from typing import Annotated, Any

import pytest
from django.conf import settings
from pydantic import Field
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import Mutability, Required, ScimProvider, Uniqueness
from scim2_tester import Status, check_server

from applications.models import Application
from runai_access.scim import resources
from runai_access.wsgi import application as wsgi

pytestmark = [pytest.mark.any_database, pytest.mark.usefixtures("connection_kept")]


class NewEmails(list[str]):
    """An endless list of examples: the tester would make up user names that are no emails."""

    def __getitem__(self, position: Any) -> str:  # type: ignore[override]  # no slices
        return f"{uuid.uuid4()}@acme.example"


class User(resources.User):
    """A user whose user names are emails."""

    __schema__ = resources.User.__schema__

    user_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = (
        Field(None, examples=NewEmails(["an email"]))
    )


def test_the_conformance_tests_report_no_error(okta: Application, secret: str) -> None:
    client = WSGISCIMClient(
        wsgi,
        base_url=f"{settings.PUBLIC_URL}/scim/v2",
        headers={"Authorization": f"Bearer {secret}"},
        provider=ScimProvider(models=[User, resources.Group], config=resources.CONFIG),
    )
    results = check_server(client)
    others = [result for result in results if result.status is not Status.SUCCESS]
    # Searches of users and groups together are optional.
    unexpected = [result for result in others if result.title != "search_with_attributes"]
    assert not unexpected, "\n".join(f"{one.title}: {one.reason}" for one in unexpected)
    assert len(results) - len(others) > 50
