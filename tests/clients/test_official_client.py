"""The unmodified official client with a real server. Its models validate all responses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pydantic import BaseModel, ValidationError

from tests.clients import official
from tests.servers import Server

# Errors in the client's models, and the reasons (contract/README.md, Known errata).
PROJECT_MEMBERS_THAT_NO_PROJECT_HAS = {"metadata", "current"}
RESOURCE_TYPES_OF_OTHER_VERSIONS = {"groups", "personal-apps", "datavolumes/sharedscopes"}


@pytest.fixture(scope="module")
def credentials(server: Server) -> dict[str, str]:
    """Client ID and secret of an administrator application, created by command."""
    made = server.command(
        "create_application", "official-client", "--role", "System administrator", "--json"
    )
    assert made.returncode == 0, made.stderr
    answer: dict[str, str] = json.loads(made.stdout)
    return answer


@pytest.fixture
def client(server: Server, credentials: dict[str, str]) -> Iterator[Any]:
    configuration = official.Configuration(
        client_id=credentials["clientId"],
        client_secret=credentials["clientSecret"],
        runai_base_url=server.url,
    )
    with official.ApiClient(configuration) as api_client:
        yield official.RunaiClient(api_client)


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    """The name of a project on this server."""
    made = server.command(
        "shell", "-v0", "-c",
        "from accessrules.models import Scope\n"
        "parent = Scope.objects.get(type='tenant')\n"
        "for name in ('client-cluster', 'client-department', 'client-project'):\n"
        "    parent = Scope.below(parent, name=name, created_by='test')\n"
        "    parent.save()\n",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return "client-project"


def accepted(model: type[BaseModel], answer: Any) -> None:
    model.model_validate(answer)


def test_it_manages_an_application(client: Any) -> None:
    applications = client.authentication_and_authorization.applications
    made = applications.create_application(
        official.models.ApplicationCreationRequest(name="made-by-client")
    ).data
    accepted(official.models.ApplicationPostResponse, made)
    listed = applications.get_applications().data
    assert "made-by-client" in {row["name"] for row in listed}
    for row in listed:
        accepted(official.models.Application, row)
    changed = applications.update_application_by_id(
        made["id"], official.models.ApplicationPatchRequest(enabled=False)
    )
    assert changed.status_code == 200
    shown = applications.get_application_by_id(made["id"]).data
    assert shown["enabled"] is False
    secret = applications.regenerate_application_secret(made["id"]).data["secret"]
    assert secret != made["secret"]
    assert applications.delete_application_by_id(made["id"]).status_code == 204
    with pytest.raises(official.ApiException) as error:
        applications.get_application_by_id(made["id"])
    assert error.value.status == 404


def test_it_manages_a_service_account(client: Any) -> None:
    accounts = client.authentication_and_authorization.service_accounts
    made = accounts.create_service_account(
        official.models.ServiceAccountCreationRequest(name="made-as-service-account")
    ).data
    accepted(official.models.ServiceAccountPostResponse, made)
    secret = accounts.regenerate_service_account_secret(made["id"]).data
    accepted(official.models.RegenerateServiceAccountSecretResponse, secret)
    accepted(official.models.ServiceAccount, accounts.get_service_account_by_id(made["id"]).data)
    assert accounts.delete_service_account_by_id(made["id"]).status_code == 204


def test_it_lists_roles_and_projects(client: Any, project: str) -> None:
    roles = client.authentication_and_authorization.roles.get_roles_v1().data
    assert len(roles) == 20
    for role in roles:
        role["permissions"] = [
            permission
            for permission in role["permissions"]
            if permission["resourceType"] not in RESOURCE_TYPES_OF_OTHER_VERSIONS
        ]
        accepted(official.models.RoleV1, role)
    projects = client.organizations.projects.get_projects(search=project).data["projects"]
    assert [row["name"] for row in projects] == [project]
    with pytest.raises(ValidationError) as erratum:
        official.models.Project.model_validate(projects[0])
    missing = {entry["loc"][0] for entry in erratum.value.errors()}
    assert missing == PROJECT_MEMBERS_THAT_NO_PROJECT_HAS


def test_it_manages_an_access_rule(client: Any, project: str) -> None:
    scope = client.organizations.projects.get_projects(search=project).data["projects"][0]
    rules = client.authentication_and_authorization.access_rules
    body = official.models.AccessRuleCreationFields(
        subjectId="official-client",
        subjectType="app",
        roleId=7,
        scopeId=scope["id"],
        scopeType="project",
    )
    made = rules.create_access_rule(body).data
    accepted(official.models.AccessRule, made)
    listed = rules.get_access_rules(filter_by=["subjectId==official-client"], limit=500).data
    assert made["id"] in {rule["id"] for rule in listed["accessRules"]}
    shown = rules.get_access_rule(made["id"]).data
    accepted(official.models.AccessRuleById, shown)
    assert shown["scopePath"].endswith("client-cluster/client-department/client-project")
    assert rules.delete_access_rule(made["id"]).status_code == 204
    with pytest.raises(official.ApiException) as error:
        rules.get_access_rule(made["id"])
    assert error.value.status == 404


def test_the_second_token_endpoint_works_with_raw_http(
    server: Server, credentials: dict[str, str]
) -> None:
    answer = requests.post(
        f"{server.url}/api/v2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": credentials["clientId"],
            "client_secret": credentials["clientSecret"],
        },
        timeout=10,
    )
    assert answer.status_code == 200
    accepted(official.models.OAuth2TokenResponse, answer.json())
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    listed = requests.get(f"{server.url}/api/v1/apps", headers=headers, timeout=10)
    assert "official-client" in {row["name"] for row in listed.json()}


def test_regenerating_revokes_token_and_secret_immediately(server: Server, client: Any) -> None:
    applications = client.authentication_and_authorization.applications
    made = applications.create_application(
        official.models.ApplicationCreationRequest(name="short-lived")
    ).data
    body = {"grantType": "app_token", "clientId": "short-lived", "clientSecret": made["secret"]}
    token = requests.post(f"{server.url}/api/v1/token", json=body, timeout=10).json()["accessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.url}/api/v1/apps"
    assert requests.get(url, headers=headers, timeout=10).status_code == 403
    applications.regenerate_application_secret(made["id"])
    assert requests.get(url, headers=headers, timeout=10).status_code == 401
    assert requests.post(f"{server.url}/api/v1/token", json=body, timeout=10).status_code == 401
    applications.delete_application_by_id(made["id"])
