"""scim2-tester, the conformance tests of SCIM service providers, reports no error."""

import pytest
from django.conf import settings

from applications.models import Application
from runai_access.wsgi import application as wsgi

pytestmark = [pytest.mark.any_database, pytest.mark.usefixtures("connection_kept")]


def test_the_conformance_tests_report_no_error(okta: Application, secret: str) -> None:
    # Imported here, because it takes seconds, and every process of a run collects this file.
    from scim2_client.engines.wsgi import WSGISCIMClient
    from scim2_models import ScimProvider
    from scim2_tester import Status, check_server

    from runai_access.scim import resources
    from tests.scim.conformance import User

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
