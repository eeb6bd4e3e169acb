"""/api/v1/authorization/roles, /api/v1/clusters and /api/v1/org-unit."""

from typing import Any

import pytest

from accessrules.authorization.catalog import PREDEFINED_ROLES
from applications.models import Application
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
ROLES = "/api/v1/authorization/roles"
CLUSTERS = "/api/v1/clusters"
DEPARTMENTS = "/api/v1/org-unit/departments"
PROJECTS = "/api/v1/org-unit/projects"


def test_all_predefined_roles_are_listed_with_their_real_ids(
    as_: As, administrator: Application
) -> None:
    roles = as_(administrator).get(ROLES).json()
    assert {role["id"]: role["name"] for role in roles} == {
        role.id: role.name for role in PREDEFINED_ROLES
    }
    assert all(role["custom"] is False and role["effectiveEnabled"] for role in roles)


def test_a_role_lists_its_permissions_with_names_and_groups(
    as_: As, administrator: Application
) -> None:
    role = as_(administrator).get(f"{ROLES}/7").json()
    assert role["name"] == "Viewer"
    permissions = {entry["resourceType"]: entry for entry in role["permissions"]}
    assert permissions["project"] == {
        "resourceType": "project",
        "displayName": "Projects",
        "groupId": "organization",
        "actions": ["read"],
    }
    assert "apps" not in permissions


@pytest.mark.parametrize("path", [f"{ROLES}/99", f"{ROLES}/x", f"{CLUSTERS}/x", f"{PROJECTS}/%00"])
def test_an_unknown_id_is_404(as_: As, administrator: Application, path: str) -> None:
    assert as_(administrator).get(path).status_code == 404


def test_roles_are_403_without_the_permission_to_view_them(
    as_: As, organization: Organization
) -> None:
    client = as_(factories.application("worker", ("L1 researcher", organization.training)))
    assert client.get(ROLES).status_code == 403


def test_unmanaged_members_of_a_project_are_empty(
    as_: As, administrator: Application, organization: Organization
) -> None:
    project = as_(administrator).get(f"{PROJECTS}/{organization.training.uid}").json()
    assert project["name"] == "training"
    assert project["clusterId"] == organization.cluster.uid
    assert project["parentId"] == organization.vision.uid
    assert project["parent"] == {"id": organization.vision.uid, "name": "vision"}
    assert project["resources"] == []
    assert project["totalResources"] == project["effective"] == project["status"] == {}
    assert project["enforceRunaiScheduler"] is False


def test_a_project_has_the_members_that_only_2_18_to_2_21_require(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client, id_ = as_(administrator), organization.training.uid
    [listed] = client.get(PROJECTS, {"filterBy": "name==training"}).json()["projects"]
    for project in (listed, client.get(f"{PROJECTS}/{id_}").json()):
        assert project["phase"] == "Unknown"
        assert project["enforceRun:aiScheduler"] is False


def test_a_department_includes_its_cluster(
    as_: As, administrator: Application, organization: Organization
) -> None:
    departments = as_(administrator).get(DEPARTMENTS).json()["departments"]
    assert [unit["name"] for unit in departments] == ["speech", "vision"]
    assert departments[0]["clusterId"] == organization.cluster.uid
    assert departments[0]["resources"] == []


def test_clusters_are_a_plain_array(
    as_: As, administrator: Application, organization: Organization
) -> None:
    [cluster] = as_(administrator).get(CLUSTERS).json()
    assert (cluster["uuid"], cluster["name"]) == (organization.cluster.uid, "gpu-east")
    assert cluster["tenantId"] == 1001
    assert as_(administrator).get(f"{CLUSTERS}/{cluster['uuid'].upper()}").json() == cluster


def test_only_visible_projects_are_listed_counted_and_read(
    as_: As, organization: Organization
) -> None:
    client = as_(factories.application("worker", ("L1 researcher", organization.vision)))
    names = [project["name"] for project in client.get(PROJECTS).json()["projects"]]
    assert names == ["serving", "training"]
    assert client.get(f"{PROJECTS}/count").json() == {"count": 2}
    assert client.get(f"{PROJECTS}/{organization.dictation.uid}").status_code == 404


def test_a_long_list_links_to_the_next_page(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    first = client.get(PROJECTS, {"limit": 2}).json()
    assert (len(first["projects"]), first["next"]) == (2, 2)
    last = client.get(PROJECTS, {"limit": 2, "offset": 2}).json()
    assert [project["name"] for project in last["projects"]] == ["training"]
    assert "next" not in last


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"filterBy": "parentName==VISION"}, ["serving", "training"]),
        ({"filterBy": "name=@ict"}, ["dictation"]),
        ({"search": "train"}, ["training"]),
        ({"sortBy": "name", "sortOrder": "desc"}, ["training", "serving", "dictation"]),
    ],
)
def test_projects_can_be_filtered_and_sorted(
    as_: As,
    administrator: Application,
    organization: Organization,
    query: dict[str, Any],
    names: list[str],
) -> None:
    found = as_(administrator).get(PROJECTS, query).json()["projects"]
    assert [project["name"] for project in found] == names


def test_an_unsupported_metric_is_refused_by_name(as_: As, administrator: Application) -> None:
    answer = as_(administrator).get(PROJECTS, {"filterBy": "totalGpuQuota>=1"})
    assert answer.status_code == 400
    assert "totalGpuQuota" in answer.json()["details"]


def test_clusters_can_not_be_filtered_by_creator(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    assert "createdBy" not in client.get(CLUSTERS).json()[0]
    for query in ("filterBy=createdBy=@maker", "sortBy=createdBy"):
        assert client.get(f"{CLUSTERS}?{query}").status_code == 400
        assert client.get(f"{DEPARTMENTS}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (CLUSTERS, ("metadata", "full")),
        (f"{CLUSTERS}/{{cluster}}", ("metadata", "full")),
        (DEPARTMENTS, ("meta", "brief", "verbose")),
    ],
)
def test_verbosity_accepts_only_the_values_of_the_contract(
    as_: As,
    administrator: Application,
    organization: Organization,
    path: str,
    accepted: tuple[str, ...],
) -> None:
    client, url = as_(administrator), path.format(cluster=organization.cluster.uid)
    for verbosity in accepted:
        assert client.get(url, {"verbosity": verbosity}).json() == client.get(url).json()
    refused = client.get(url, {"verbosity": "banana"})
    assert refused.status_code == 400
    assert refused.json()["details"] == (
        f"verbosity must be one of {', '.join(accepted)}, not 'banana'."
    )


def test_include_requested_for_delete_must_be_a_boolean(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    assert client.get(CLUSTERS, {"includeRequestedForDelete": "true"}).status_code == 200
    refused = client.get(CLUSTERS, {"includeRequestedForDelete": "banana"})
    assert refused.status_code == 400
    assert "true, false" in refused.json()["details"]
