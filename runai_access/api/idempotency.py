"""The Idempotency-Key header: a request that is sent again makes nothing twice."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from runai_access.api.errors import InvalidParameter, error
from runai_access.api.models import IdempotencyKey

HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class Result:
    """What a request made, and the answer that tells of it."""

    id: str
    response: Response


def idempotent(
    request: Request,
    asked: Any,
    *,
    caller: uuid.UUID,
    execute: Callable[[], Result],
    replay: Callable[[str], Response],
) -> Response:
    """Return what `make` answers or, for a key that was used before, `again` with the id it made.

    `asked` is what the body asks for, if anything: with method and address it tells requests apart.
    `again` raises ObjectDoesNotExist where that is gone or out of the caller's sight by now. The key,
    the making and its audit row stand or fall together: what failed may be tried again under the same
    key. Another request under a used key is a 422. Keys are kept for a day.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return execute().response
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise InvalidParameter(f"{HEADER} must be 1 to 255 printable ASCII characters.")
    fingerprint = _fingerprint(request, asked)
    with transaction.atomic():
        IdempotencyKey.objects.expired().filter(caller=caller, key=key).delete()
        row = IdempotencyKey(caller=caller, key=key, fingerprint=fingerprint)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            used = IdempotencyKey.objects.get(caller=caller, key=key)
            if used.fingerprint != fingerprint:
                return error(422, f"{HEADER}: it was used for another request.")
            try:
                return replay(used.result_id)
            except ObjectDoesNotExist:
                gone = f"What it made, {used.result_id}, is gone or out of your sight."
                return already_done(used.result_id, gone)
        made = execute()
        row.result_id = made.id
        row.save(update_fields=["result_id"])
    return made.response


def already_done(result_id: str, details: str) -> Response:
    """Return the answer to a request that was carried out before and can't be answered again."""
    response = error(
        409, f"This request was carried out before. {details}", message="Already done."
    )
    response.data["id"] = result_id
    return response


def _fingerprint(request: Request, asked: Any) -> str:
    parts = [request.method, request.path, json.dumps(asked, sort_keys=True)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
