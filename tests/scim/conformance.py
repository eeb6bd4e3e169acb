"""What scim2-tester needs to know of our users."""

import uuid
from typing import Annotated, Any

from pydantic import Field
from scim2_models import Mutability, Required, Uniqueness

from runai_access.scim import resources


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
