"""/api/v1/users: list, create, read and delete users."""

from typing import Any

from django.db.models import Q, QuerySet, Value
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from accessrules.authorization.callers import Caller
from runai_access.accounts import policy
from runai_access.accounts.actions import TemporaryPassword, delete_user, invite_user
from runai_access.accounts.api.serializers import CreatedUserSerializer, NewUser, UserSerializer
from runai_access.accounts.filters import UserFilterSet
from runai_access.accounts.models import User
from runai_access.accounts.policy import visible_memberships
from runai_access.accounts.search import search_users
from runai_access.api.errors import InvalidParameter
from runai_access.api.filter_by import Field, FieldType
from runai_access.api.idempotency import Result, already_done, idempotent
from runai_access.api.ids import uuid_id
from runai_access.api.paging import ListEndpoint, paged
from runai_access.api.serializers import CountSerializer
from runai_access.errors import NotFound
from runai_access.lists.filters import NumberFilter, PlainTextFilter
from runai_access.lists.selection import ListFilter
from runai_access.lists.sorts import Sort

# The only type of user: each signs in to the console with a local password.
LOCAL = "local"

_FILTERS = UserFilterSet.field_filters
LIST = ListEndpoint(
    fields={
        "username": Field(_FILTERS["user"], Sort.text("email")),
        "createdBy": Field(_FILTERS["created_by"], Sort.text("created_by")),
        "creationTime": Field.time("created_at"),
        "lastUpdated": Field.time("updated_at"),
        "lastLogin": Field.time("last_login", is_nullable=True),
        "isLocal": Field(NumberFilter("is_local"), Sort.flag("is_local"), FieldType.FLAG),
        "type": Field(PlainTextFilter("kind"), Sort.text("kind")),
    },
    search=search_users,
    # As on the page: indexes find users that are not visible, too.
    permission_filter=lambda _: ListFilter(Q()),
    sort=Sort.text("email"),
    default_limit=500,
    max_limit=500,
)


FILTER = OpenApiParameter(
    "filter", str, enum=["runai.is_local:true", "runai.is_local:false"], deprecated=True
)


class UsersView(CallerView):
    """The list of visible users, as a plain array, and their creation."""

    tag = "Users"
    idempotent = ("POST",)
    errors = {"POST": (409,)}
    listing = LIST
    query_parameters = [FILTER]

    @extend_schema(responses=UserSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List users.

        Lists the users visible to the caller.
        """
        page = LIST.page(
            filtered_users(self, request),
            request.query_params,
            self.caller.authority,
            complete=with_constants,
        )
        _load_groups(page.rows, self.caller)
        return paged(request, page, UserSerializer.represent_all(page.rows))

    @extend_schema(request=NewUser, responses={201: CreatedUserSerializer})
    def post(self, request: Request) -> Response:
        """Create a user.

        The user gets a temporary password, which only this response contains. It is valid for
        choosing another one.
        """
        policy.require(self.caller, "create")
        body = NewUser(data=request.data)
        body.is_valid(raise_exception=True)
        sent, password = body.validated_data, TemporaryPassword.new()

        def execute() -> Result:
            issued = invite_user(
                caller=self.caller,
                email=sent["email"],
                display_name=sent["displayName"],
                password=password,
            )
            response = Response(CreatedUserSerializer.represent(issued), status=201)
            return Result(str(issued.user.pk), response)

        return idempotent(
            request, dict(sent), caller=self.caller_id, execute=execute, replay=password_unavailable
        )


class UsersCountView(CallerView):
    """The number of visible users."""

    tag = "Users"
    listing = LIST
    query_parameters = [FILTER]
    counts = True

    @extend_schema(responses=CountSerializer)
    def get(self, request: Request) -> Response:
        """Count users.

        Counts the users that match the parameters.
        """
        users, authority = filtered_users(self, request), self.caller.authority
        count = LIST.count(users, request.query_params, authority)
        return Response(CountSerializer.represent({"count": count}))


class UserView(CallerView):
    """A user."""

    tag = "Users"
    errors = {"DELETE": (409,)}

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request, user_id: str) -> Response:
        """Get a user.

        Responds with 404 if the user is not visible to the caller.
        """
        user = visible(self).filter(pk=uuid_id(user_id)).first()
        if user is None:
            raise NotFound("There is no such user.")
        _load_groups([user], self.caller)
        return Response(UserSerializer.represent(user))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, user_id: str) -> Response:
        """Delete a user.

        Their sessions and tokens end immediately, and their access rules are deleted. Requires every
        permission that the user holds.
        """
        delete_user(caller=self.caller, user_id=uuid_id(user_id))
        return Response(status=204)


def password_unavailable(user_id: str) -> Response:
    """Return the response to a repeated request. Its password is not stored in readable form."""
    return already_done(
        user_id,
        f"The password can't be shown again. Reset the password of {user_id} to get another.",
    )


def visible(view: CallerView) -> QuerySet[User]:
    """Return the users visible to the caller. Raises Denied without the permission to view any."""
    authority = view.caller.authority
    authority.require_anywhere("read", "users")
    return with_constants(User.objects.filter(authority.visible_q("users")))


def with_constants(users: QuerySet[User]) -> QuerySet[User]:
    """Add the fields of the contract that are the same for all users."""
    return users.annotate(is_local=Value(True), kind=Value(LOCAL))


def filtered_users(view: CallerView, request: Request) -> QuerySet[User]:
    """Return the visible users that match the deprecated `filter` parameter."""
    users = visible(view)
    match request.query_params.get("filter"):
        case None | "runai.is_local:true":
            return users
        case "runai.is_local:false":
            return users.none()
        case other:
            raise InvalidParameter(
                f"filter must be runai.is_local:true or runai.is_local:false, not {other[:80]!r}."
            )


def _load_groups(users: list[User], caller: Caller) -> None:
    """Set `group_names` of each user: its groups that are visible to the caller."""
    names: dict[Any, list[str]] = {user.pk: [] for user in users}
    memberships = visible_memberships(caller.authority).filter(member__in=list(names))
    for member, name in memberships.order_by("group__name").values_list("member", "group__name"):
        names[member].append(name)
    for user in users:
        user.group_names = names[user.pk]  # type: ignore[attr-defined]  # for UserSerializer
