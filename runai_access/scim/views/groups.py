"""/scim/v2/Groups: the groups of the account, and the users in them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import PatchOp, ResponseParameters

from accessrules.actions.groups import delete_group
from accessrules.models import Subject
from runai_access.accounts import models
from runai_access.accounts.policy import GROUPS, visible_group
from runai_access.api.ids import uuid_id
from runai_access.scim import filters
from runai_access.scim.membership import members_of, split
from runai_access.scim.provisioning import change_group, provision_group
from runai_access.scim.representation import represent_groups
from runai_access.scim.requests import (
    bounds,
    read_new,
    read_patch,
    read_replacement,
    read_search,
)
from runai_access.scim.resources import POLICY, Group
from runai_access.scim.views.base import ScimView, list_response, page_of, resource_response


class GroupsView(ScimView):
    """The list of groups, and their creation."""

    def get(self, request: Request) -> Response:
        GROUPS.require(self.caller, "read")
        search = read_search(Group, request.query_params)
        start, end = bounds(search)
        condition = filters.matching(search.filter, filters.OF_GROUPS)
        # Sorted by name, because the index of names has the groups apart from other subjects.
        rows = models.Group.objects.filter(condition)
        groups, total = page_of(rows, "name", start, end, of=Subject.objects.all())
        return list_response(represent_groups(groups, search), search, total=total, start=start)

    def post(self, request: Request) -> Response:
        GROUPS.require(self.caller, "create")
        parameters = read_search(Group, request.query_params)
        sent = read_new(Group, self.body)
        group = provision_group(caller=self.caller, sent=sent, members=members_of(sent))
        return _response(group, parameters, status=201)


class GroupView(ScimView):
    """A group."""

    def get(self, request: Request, group_id: str) -> Response:
        GROUPS.require(self.caller, "read")
        parameters = read_search(Group, request.query_params)
        return _response(visible_group(self.caller, group_id), parameters)

    def put(self, request: Request, group_id: str) -> Response:
        """Replace the attributes that the request contains. Others stay as they are."""
        GROUPS.require(self.caller, "update")
        parameters = read_search(Group, request.query_params)
        sent = read_replacement(Group, self.body)

        def replaced(group: Group) -> Group:
            group.display_name = sent.display_name
            if "external_id" in sent.model_fields_set:
                group.external_id = sent.external_id
            return group

        changed = change_group(
            caller=self.caller,
            group_id=uuid_id(group_id),
            change=replaced,
            members=members_of(sent),
        )
        return _response(changed, parameters)

    def patch(self, request: Request, group_id: str) -> Response:
        GROUPS.require(self.caller, "update")
        parameters = read_search(Group, request.query_params)
        others, members = split(read_patch(Group, self.body))

        def patched(group: Group) -> Group:
            PatchOp[Group].model_construct(operations=others).patch(group, POLICY)
            return group

        changed = change_group(
            caller=self.caller, group_id=uuid_id(group_id), change=patched, members=members
        )
        if not (parameters.attributes or parameters.excluded_attributes):
            # As RFC 7644 §3.5.2 allows: a large group is not read for each new member.
            return Response(status=204)
        return _response(changed, parameters)

    def delete(self, request: Request, group_id: str) -> Response:
        GROUPS.require(self.caller, "delete")
        group = GROUPS.one_for(self.caller, "delete", uuid_id(group_id))
        delete_group(caller=self.caller, group=group)
        return Response(status=204)


def _response(group: Subject, parameters: ResponseParameters[Any], status: int = 200) -> Response:
    (resource,) = represent_groups([group], parameters)
    return resource_response(resource, parameters, status)
