"""/scim/v2/Users: the users of the account.

Users belong to the account, and so do identity providers: each request requires its permission there.
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import ResponseParameters

from accessrules.authorization.callers import Caller
from runai_access.accounts import models, policy
from runai_access.accounts.actions import delete_user
from runai_access.api.ids import uuid_id
from runai_access.scim import filters
from runai_access.scim.provisioning import change_user, provision_user
from runai_access.scim.representation import represent_users
from runai_access.scim.requests import (
    bounds,
    display_name_of,
    read_new,
    read_patch,
    read_replacement,
    read_search,
    with_status,
)
from runai_access.scim.resources import POLICY, User, WritableUser
from runai_access.scim.views.base import ScimView, list_response, page_of, resource_response


class UsersView(ScimView):
    """The list of users, and their creation."""

    def get(self, request: Request) -> Response:
        policy.require(self.caller, "read")
        search = read_search(User, request.query_params)
        start, end = bounds(search)
        sees_groups = policy.GROUPS.is_allowed(self.caller, "read")
        conditions = filters.OF_USERS_IN_GROUPS if sees_groups else filters.OF_USERS
        condition = filters.matching(search.filter, conditions)
        every = models.User.objects.all()
        users, total = page_of(every.filter(condition), "pk", start, end, of=every)
        resources = represent_users(users, self.caller, search)
        return list_response(resources, search, total=total, start=start)

    def post(self, request: Request) -> Response:
        policy.require(self.caller, "create")
        parameters = read_search(User, request.query_params)
        sent = read_new(WritableUser, with_status(self.body, active=True))
        user = provision_user(caller=self.caller, sent=sent)
        return _response(user, self.caller, parameters, status=201)


class UserView(ScimView):
    """A user."""

    def get(self, request: Request, user_id: str) -> Response:
        policy.require(self.caller, "read")
        parameters = read_search(User, request.query_params)
        return _response(policy.visible_one(self.caller, user_id), self.caller, parameters)

    def put(self, request: Request, user_id: str) -> Response:
        """Replace the attributes that the request contains. Others stay as they are."""

        def replaced(user: WritableUser) -> WritableUser:
            body = with_status(self.body, active=bool(user.active))
            sent = read_replacement(WritableUser, body)
            user.user_name, user.active = sent.user_name, sent.active
            if (name := display_name_of(sent)) is not None:
                user.display_name = name or None
            if "external_id" in sent.model_fields_set:
                user.external_id = sent.external_id
            return user

        policy.require(self.caller, "update")
        parameters = read_search(User, request.query_params)
        changed = change_user(caller=self.caller, user_id=uuid_id(user_id), change=replaced)
        return _response(changed, self.caller, parameters)

    def patch(self, request: Request, user_id: str) -> Response:
        policy.require(self.caller, "update")
        parameters = read_search(User, request.query_params)
        operations = read_patch(WritableUser, self.body)

        def patched(user: WritableUser) -> WritableUser:
            operations.patch(user, POLICY)
            return user

        changed = change_user(caller=self.caller, user_id=uuid_id(user_id), change=patched)
        return _response(changed, self.caller, parameters)

    def delete(self, request: Request, user_id: str) -> Response:
        policy.require(self.caller, "delete")
        delete_user(caller=self.caller, user_id=uuid_id(user_id))
        return Response(status=204)


def _response(
    user: models.User, caller: Caller, parameters: ResponseParameters[Any], status: int = 200
) -> Response:
    (resource,) = represent_users([user], caller, parameters)
    return resource_response(resource, parameters, status)
