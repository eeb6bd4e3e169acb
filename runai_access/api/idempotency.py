"""The Idempotency-Key header: a repeated request has no further effect."""

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
    """The ID of the created object or operation, and the response."""

    id: str
    response: Response


def idempotent(
    request: Request,
    payload: Any,
    *,
    caller: uuid.UUID,
    execute: Callable[[], Result],
    replay: Callable[[str], Response],
) -> Response:
    """Return the response of `execute` or, for a repeated key, that of `replay` for the same ID.

    Method, path and `payload` identify a request; another request with the same key is a 422. `replay`
    raises ObjectDoesNotExist if the object is deleted or no longer visible. The key, the change and its
    audit row are committed in one transaction, so a failed request can be retried with the same key.
    Keys are valid for a day.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return execute().response
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise InvalidParameter(f"{HEADER} must be 1 to 255 printable ASCII characters.")
    fingerprint = _fingerprint(request, payload)
    with transaction.atomic():
        IdempotencyKey.objects.expired().filter(caller=caller, key=key).delete()
        row = IdempotencyKey(caller=caller, key=key, fingerprint=fingerprint)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            used = IdempotencyKey.objects.get(caller=caller, key=key)
            if used.fingerprint != fingerprint:
                return error(422, f"{HEADER}: was used for another request.")
            try:
                return replay(used.result_id)
            except ObjectDoesNotExist:
                details = f"{used.result_id} was deleted or is not visible to you."
                return already_done(used.result_id, details)
        result = execute()
        row.result_id = result.id
        row.save(update_fields=["result_id"])
    return result.response


def already_done(id_: str, details: str) -> Response:
    """Return the response to a repeated request whose first response can't be repeated."""
    response = error(409, f"This request was already processed. {details}", message="Already done.")
    response.data["id"] = id_
    return response


def _fingerprint(request: Request, payload: Any) -> str:
    parts = [request.method, request.path, json.dumps(payload, sort_keys=True)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
