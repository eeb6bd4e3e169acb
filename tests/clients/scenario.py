"""A scenario for every generation of the official client. Run it with an interpreter that has it.

    python scenario.py BASE_URL CLIENT_ID CLIENT_SECRET PROJECT

Reads audit events as JSON from standard input. Prints a line per successful step, and finally the
client's version. Fails at the first response that the client's models refuse.
"""

import asyncio
import json
import sys
from collections import Counter
from importlib.metadata import version
from typing import Any

from runai import models
from runai.api_client import ApiClient, AsyncApiClient, ThreadedApiClient
from runai.configuration import Configuration
from runai.exceptions import ApiException
from runai.runai_client import RunaiClient


def main(base_url: str, client_id: str, secret: str, project: str) -> None:
    configuration = Configuration(
        client_id=client_id, client_secret=secret, runai_base_url=base_url
    )
    client = RunaiClient(ApiClient(configuration))
    access = client.authentication_and_authorization
    name = "generation-" + version("runapy").replace(".", "-")
    applications(access.applications, name)
    roles(access.roles)
    rules(access.access_rules, client.organizations.projects, name=client_id, project=project)
    accepted(models.Permission, known(access.permissions.get_permissions().data))
    accepted(
        getattr(models, "User2", None) or models.User, current(access.users, "get_users")().data
    )
    audit_events(json.load(sys.stdin))
    threaded(configuration, f"{name}-threaded")
    asyncio.run(asynchronous(configuration, client_id))
    print(version("runapy"))


def threaded(configuration: Configuration, name: str) -> None:
    """Concurrent requests with the same name create one application."""
    with ThreadedApiClient(configuration, pool_size=4) as pool:
        client = RunaiClient(pool)  # closes its pool when it is deleted
        access = client.authentication_and_authorization
        create = current(access.applications, "create_application")
        pending = [create(models.ApplicationCreationRequest(name=name)) for _ in range(4)]
        outcomes = Counter(status_of(request) for request in pending)
        assert outcomes == {201: 1, 409: 3}, outcomes
        listed = current(access.applications, "get_applications")().get(60).data
        [id_] = [row["id"] for row in listed if row["name"] == name]
        delete = current(access.applications, "delete_application_by_id")
        assert delete(id_).get(60).status_code == 204
    print("threads")


def status_of(pending: Any) -> int:
    try:
        return int(pending.get(60).status_code)
    except ApiException as error:
        return int(error.status)


async def asynchronous(configuration: Configuration, client_id: str) -> None:
    """Read-only, because it encodes bodies twice (contract/README.md, Known errata)."""
    async with AsyncApiClient(configuration) as api:
        client = RunaiClient(api)
        access = client.authentication_and_authorization
        found, rules = await asyncio.gather(
            current(access.applications, "get_applications")(),
            access.access_rules.get_access_rules(subject_ids=[client_id]),
        )
    assert client_id in {row["name"] for row in found.data}
    accepted(models.AccessRule, rules.data["accessRules"])
    print("asynchronous")


def applications(api: Any, name: str) -> None:
    create = current(api, "create_application")
    read = current(api, "get_application_by_id")
    made = create(models.ApplicationCreationRequest(name=name)).data
    id_ = made["id"]
    accepted(models.ApplicationPostResponse, [made])
    accepted(models.Application, current(api, "get_applications")().data)
    disabled = models.ApplicationPatchRequest(enabled=False)
    assert current(api, "update_application_by_id")(id_, disabled).status_code == 200
    assert read(id_).data["enabled"] is False
    assert api.regenerate_application_secret(id_).data["secret"] != made["secret"]
    assert current(api, "delete_application_by_id")(id_).status_code == 204
    assert id_ not in {row["id"] for row in current(api, "get_applications")().data}
    print("applications")


def roles(api: Any) -> None:
    # 2.24 calls it v1; the path is the same.
    found = (getattr(api, "get_roles_v1", None) or api.get_roles)().data
    assert {role["id"] for role in found} >= {1, 3, 4, 5, 6, 7, 8, 1710}
    for role in found:
        role["permissions"] = known(role["permissions"])
    accepted(getattr(models, "RoleV1", None) or models.Role1, found)
    print("roles")


def rules(api: Any, projects: Any, *, name: str, project: str) -> None:
    [scope] = projects.get_projects(filter_by=[f"name=={project}"]).data["projects"]
    body = models.AccessRuleCreationFields(
        subjectId=name, subjectType="app", roleId=7, scopeId=scope["id"], scopeType="project"
    )
    made = api.create_access_rule(body).data
    accepted(models.AccessRule, [made])
    listed = api.get_access_rules(subject_ids=[name], limit=500).data
    accepted(models.AccessRule, listed["accessRules"])
    assert made["id"] in {rule["id"] for rule in listed["accessRules"]}
    assert api.count_access_rules(filter_by=[f"subjectId=={name}"]).data["count"] >= 1
    accepted(models.AccessRuleById, [api.get_access_rule(made["id"]).data])
    assert api.delete_access_rule(made["id"]).status_code == 204
    print("access rules")


def audit_events(events: list[Any]) -> None:
    if hasattr(models, "AuditLog"):
        accepted(models.AuditLog, events)
        print("audit events")


def current(api: Any, name: str) -> Any:
    """Return the method of our contract: older clients have an even older one with its name."""
    return getattr(api, f"{name}_0", None) or getattr(api, name)


def known(permissions: list[Any]) -> list[Any]:
    """Drop resource types that this version doesn't know (contract/README.md)."""
    types = {member.value for member in models.ResourceType}
    return [permission for permission in permissions if permission["resourceType"] in types]


def accepted(model: Any, answers: list[Any]) -> None:
    for answer in answers:
        model.model_validate(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
