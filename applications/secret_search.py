"""FIND A SECRET: which application and client secret a pasted text contains, and whether it is live.

The text can contain live secrets, so it is neither stored nor logged, nor part of a result: a result
names a secret by its public ID only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from accessrules.authorization.callers import Caller
from applications import policy
from applications.models import Application, ClientSecret
from applications.oauth.secret_verification import matches
from applications.oauth.secrets import PREFIX, find_all, id_of, is_well_formed
from runai_access.errors import Busy, TooMany
from runai_access.security.throttles import attempt

MAX_LENGTH = 100_000
# Each costs an Argon2 run.
MAX_SECRETS = 10
SEARCHES = 20
SEARCH_SECONDS = 60


class Status(StrEnum):
    """What a text that looks like a client secret is."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"
    # It has the ID of a client secret, but is another text: damaged, or made up.
    WRONG = "wrong"
    UNKNOWN = "unknown"
    OLD_FORMAT = "oldFormat"
    DAMAGED = "damaged"


EXPLANATIONS = {
    Status.LIVE: "This client secret works.",
    Status.EXPIRED: "This client secret has expired. It no longer works.",
    Status.REVOKED: "This client secret is revoked. It no longer works.",
    Status.WRONG: "It has the ID of this client secret, but it is not the secret. It does not work.",
    Status.UNKNOWN: "It is not among the client secrets of the applications that you can see.",
    Status.OLD_FORMAT: (
        "A client secret from before release 0.2.0. It contains no ID, so its application can't be "
        "found. Containing or regenerating the application you suspect makes it useless."
    ),
    Status.DAMAGED: "It looks like a client secret, but its checksum is wrong: it is cut or mistyped.",
}


@dataclass(frozen=True)
class FoundSecret:
    """A text that looks like a client secret, by its public ID; with the stored one of this ID."""

    id: str
    status: Status
    secret: ClientSecret | None = None

    @property
    def application(self) -> Application | None:
        return self.secret.application if self.secret else None

    @property
    def application_id(self) -> UUID | None:
        return self.application.pk if self.application else None

    @property
    def application_name(self) -> str | None:
        return self.application.name if self.application else None

    @property
    def is_contained(self) -> bool:
        """Whether its application is contained, and was when this secret existed already."""
        application = self.application
        if self.secret is None or application is None or application.enabled:
            return False
        contained_at = application.contained_at
        return contained_at is not None and self.secret.created_at <= contained_at

    @property
    def beginning(self) -> str:
        """The public start of the text."""
        return f"{PREFIX}{self.id}_…" if self.id else f"{PREFIX}…"

    @property
    def explanation(self) -> str:
        if self.status is Status.LIVE and self.application and not self.application.enabled:
            return "This client secret would work, but its application is disabled."
        return EXPLANATIONS[self.status]


@dataclass(frozen=True)
class SecretSearch:
    """The first MAX_SECRETS texts that look like client secrets, and how many more there are."""

    found: Sequence[FoundSecret]
    skipped: int


def search_secrets(*, caller: Caller, text: str) -> SecretSearch:
    """Return which client secrets `text` contains, of the applications that the caller can see.

    Each well-formed secret costs one Argon2 run, whether its ID is visible, exists, or neither; so the
    time reveals nothing about other applications. Raises Denied without permission to read
    applications, TooMany after SEARCHES searches, and Busy.
    """
    visible = policy.visible(caller)
    texts = find_all(text)
    counted = None
    if caller.subject and texts:
        counted = attempt(
            "secret search", str(caller.subject.pk),
            limit=SEARCHES, seconds=SEARCH_SECONDS, extend=False,
        )  # fmt: skip
        if counted.refused:
            raise TooMany("Too many searches for secrets.", retry_after=counted.retry_after)
    searched = texts[:MAX_SECRETS]
    stored = (
        ClientSecret.objects.filter(
            pk__in=[id_of(one) for one in searched], application__in=visible
        )
        .select_related("application__subject")
        .in_bulk()
    )
    try:
        found = [_find(one, stored.get(id_of(one))) for one in searched]
    except Busy:
        if counted:
            counted.give_back()
        raise
    return SecretSearch(found, skipped=len(texts) - len(searched))


def _find(text: str, stored: ClientSecret | None) -> FoundSecret:
    id_ = id_of(text)
    if not is_well_formed(text):
        status = Status.WRONG if stored else Status.DAMAGED
    elif not id_:
        return FoundSecret("", Status.OLD_FORMAT)
    elif matches(stored.secret_hash if stored else "", text):
        assert stored is not None  # noqa: S101  # nothing matches without a hash
        status = Status(stored.status)
    else:
        status = Status.WRONG if stored else Status.UNKNOWN
    return FoundSecret(id_, status, stored)
