"""Reads SCIM requests: resources and query parameters."""

from collections.abc import Iterator
from typing import Any, TypeVar

from django.http import QueryDict
from scim2_models import (
    Context,
    InvalidFilterException,
    InvalidPathException,
    PatchOp,
    PayloadTooLargeException,
    Resource,
    SearchRequest,
)

from runai_access.scim.resources import MAX_PAGE_SIZE, PAGE_SIZE, POLICY, WritableUser

R = TypeVar("R", bound=Resource[Any])
# Parsing a longer filter or path takes seconds; so does applying more operations, which holds locks.
MAX_EXPRESSION_LENGTH = 2000
MAX_OPERATIONS = 1000
MAX_OFFSET = 2**31 - 1
# Sorting is not supported, and ignored. So are parameters that are not SCIM's: Entra ID sends some.
_PARAMETERS = ("filter", "startIndex", "count", "attributes", "excludedAttributes")


def read_search(model: type[R], parameters: QueryDict) -> SearchRequest[R]:
    """Return the query parameters of a request. Raises ValidationError (pydantic) for invalid ones."""
    if len(parameters.get("filter", "")) > MAX_EXPRESSION_LENGTH:
        raise InvalidFilterException(
            detail=f"A filter has at most {MAX_EXPRESSION_LENGTH} characters."
        )
    known = {name: parameters[name] for name in _PARAMETERS if name in parameters}
    return SearchRequest[model].model_validate(known, scim_policy=POLICY)  # type: ignore[valid-type]


def bounds(search: SearchRequest[Any]) -> tuple[int, int]:
    """Return the positions of the first row of the page and of the one after its last."""
    start = min((search.start_index or 1) - 1, MAX_OFFSET)
    count = PAGE_SIZE if search.count is None else min(search.count, MAX_PAGE_SIZE)
    return start, start + count


def read_new(model: type[R], body: dict[str, Any]) -> R:
    """Return the resource to create. Raises ValidationError (pydantic)."""
    return model.model_validate(
        body, scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=POLICY
    )


def read_replacement(model: type[R], body: dict[str, Any]) -> R:
    """Return the resource of a PUT request. Raises ValidationError (pydantic)."""
    return model.model_validate(
        body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=POLICY
    )


def read_patch(model: type[R], body: dict[str, Any]) -> PatchOp[R]:
    """Return the operations of a PATCH request.

    Raises ValidationError (pydantic), and SCIMException for too many operations or too long paths.
    """
    operations = _member(body, "Operations")
    if isinstance(operations, list) and len(operations) > MAX_OPERATIONS:
        detail = f"A PATCH request has at most {MAX_OPERATIONS} operations."
        raise PayloadTooLargeException(detail=detail)
    if any(len(path) > MAX_EXPRESSION_LENGTH for path in _paths(operations)):
        raise InvalidPathException(detail=f"A path has at most {MAX_EXPRESSION_LENGTH} characters.")
    return PatchOp[model].model_validate(  # type: ignore[valid-type]
        body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
    )


def with_status(body: dict[str, Any], *, active: bool) -> dict[str, Any]:
    """Return a user with a value of `active`, which clients can leave out."""
    has_status = any(name.lower() == "active" for name in body)
    return body if has_status else {**body, "active": active}


def display_name_of(sent: WritableUser) -> str | None:
    """Return the display name of a user, or else the formatted or joined parts of its `name`.

    None if the client says nothing about either.
    """
    if "display_name" in sent.model_fields_set:
        return sent.display_name or ""
    parts = _member(sent.unknown_attributes, "name")
    if not isinstance(parts, dict):
        return None
    names = [_member(parts, "givenName"), _member(parts, "familyName")]
    joined = " ".join(name for name in names if isinstance(name, str))
    formatted = _member(parts, "formatted")
    return formatted if formatted and isinstance(formatted, str) else joined or None


def _paths(part: Any) -> Iterator[str]:
    """Yield the paths of operations: the member `path`, and the names of the members of values."""
    if isinstance(part, list):
        for item in part:
            yield from _paths(item)
    elif isinstance(part, dict):
        for name, value in part.items():
            yield name
            if name.lower() == "path" and isinstance(value, str):
                yield value
            yield from _paths(value)


def _member(members: dict[str, Any], name: str) -> Any:
    return next((value for key, value in members.items() if key.lower() == name.lower()), None)
