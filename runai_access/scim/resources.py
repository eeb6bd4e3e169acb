"""The SCIM resources of this service provider, and how much it tolerates in requests.

Importing `scim2_models` takes memory and time, so only the URLs below `/scim/v2` import this module.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from django.conf import settings
from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Meta,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Schema,
    ScimPolicy,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

PAGE_SIZE = 100
MAX_PAGE_SIZE = 500
# Entra ID and Okta send more than this service provider keeps, and Entra ID not quite as RFC 7644 says.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
_USER = URN("urn:ietf:params:scim:schemas:core:2.0:User")
_GROUP = URN("urn:ietf:params:scim:schemas:core:2.0:Group")


class WritableUser(Resource[Any]):
    """The attributes of a user that requests can change. Any others in requests are ignored."""

    __schema__ = _USER

    user_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    display_name: str | None = None
    active: Annotated[bool | None, Required.true] = None


class Email(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only] = None
    primary: Annotated[bool | None, Mutability.read_only] = None


class GroupOfUser(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class User(WritableUser):
    """A user."""

    __schema__ = _USER

    user_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = (
        Field(None, description="The email of the user. It never changes.")
    )
    display_name: str | None = Field(None, description="The name of the user.")
    active: Annotated[bool | None, Required.true] = Field(
        None, description="Whether the user is enabled."
    )
    emails: Annotated[list[Email] | None, Mutability.read_only] = Field(
        None, description="The user name."
    )
    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = Field(
        None, description="The groups of the user."
    )


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = Field(
        None, description="The ID of the user."
    )
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    """A group."""

    __schema__ = _GROUP

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = Field(
        None, description="The name of the group."
    )
    members: list[Member] | None = Field(
        None, description="The users in the group. Applications in it are not listed."
    )


def location(endpoint: str, id_: object = "") -> Reference[Any]:
    """Return the URL of an endpoint, or of one of its resources."""
    url = f"{settings.PUBLIC_URL}/scim/v2/{endpoint}"
    return Reference(f"{url}/{id_}" if id_ else url)


def _service_provider_config() -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MAX_PAGE_SIZE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer",
                description="A client secret or an access token of an application.",
                primary=True,
            )
        ],
        meta=_meta("ServiceProviderConfig"),
    )


def _meta(resource_type: str, endpoint: str = "", id_: object = "") -> Meta:
    return Meta(resource_type=resource_type, location=location(endpoint or resource_type, id_))


def _resource_type(model: type[Resource[Any]]) -> ResourceType:
    described = ResourceType.from_resource(model)
    described.meta = _meta("ResourceType", "ResourceTypes", described.id)
    return described


def _schema(model: type[Resource[Any]]) -> Schema:
    described = model.to_schema()
    described.meta = _meta("Schema", "Schemas", described.id)
    return described


CONFIG = _service_provider_config()
RESOURCE_TYPES: Mapping[str, ResourceType] = {
    model.__name__: _resource_type(model) for model in (User, Group)
}
SCHEMAS: Mapping[str, Schema] = {str(model.__schema__): _schema(model) for model in (User, Group)}
