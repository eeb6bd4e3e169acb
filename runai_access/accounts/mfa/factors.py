"""The stored factors of users: each code works once, on all replicas together.

An authenticator app shows codes of RFC 6238. Django-allauth would remember used ones in the cache of
one process. Here the row of the app has the time step of the last one, and is locked during a check.
"""

import logging
import time
from enum import StrEnum
from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils.crypto import constant_time_compare

from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.security.encryption import cipher

log = logging.getLogger(__name__)

APP, PASSKEY = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN
RECOVERY_CODES = Authenticator.Type.RECOVERY_CODES
# What is encrypted in the data of a factor.
_ENCRYPTED = {APP: "secret", RECOVERY_CODES: "seed"}
_LAST_STEP = "last_step"


class Method(StrEnum):
    """How a user proved a second factor, in the audit log."""

    APP = "an authenticator app"
    PASSKEY = "a passkey"
    RECOVERY_CODE = "a recovery code"


def describe(factor: Any) -> str:
    """Return a factor as text: "authenticator app", "passkey MacBook" or "recovery codes"."""
    if factor.type == PASSKEY:
        return f"passkey {factor.data['name']}"
    return "authenticator app" if factor.type == APP else "recovery codes"


@transaction.atomic
def use_code(user: User, code: str) -> Method | None:
    """Check a code of the app or a recovery code; return which it is. It can't be used again."""
    code = "".join(code.split()).replace("-", "")
    if not code.isascii() or not code.isdecimal():
        return None
    for factor in factors_of(user).exclude(type=PASSKEY).select_for_update():
        try:
            method = _use(factor, code)
        except InvalidToken:
            log.error("The %s of %s has another secret key.", describe(factor), user)  # noqa: TRY400
            continue
        if method:
            factor.record_usage()
            return method
    return None


def _use(factor: Any, code: str) -> Method | None:
    if factor.type == RECOVERY_CODES:
        return Method.RECOVERY_CODE if factor.wrap().validate_code(code) else None
    step = step_of(get_adapter().decrypt(factor.data["secret"]), code)
    if step is None or step <= factor.data[_LAST_STEP]:
        return None
    factor.data[_LAST_STEP] = step
    factor.save(update_fields=["data"])
    return Method.APP


def step_of(secret: str, code: str) -> int | None:
    """Return the time step of a current code (RFC 6238 §4.2), or None for any other text.

    A clock can differ by MFA_TOTP_TOLERANCE steps of 30 seconds.
    """
    now = int(time.time()) // app_settings.TOTP_PERIOD
    tolerance = app_settings.TOTP_TOLERANCE
    return next(
        (
            step
            for step in range(now + tolerance, now - tolerance - 1, -1)
            if constant_time_compare(format_hotp_value(hotp_value(secret, step)), code)
        ),
        None,
    )


def new_app(user: User, secret: str, step: int) -> Any:
    """Return the factor of an app, not saved, after the code of `step` was used to set it up."""
    data = {"secret": get_adapter().encrypt(secret), _LAST_STEP: step}
    return Authenticator(user=user, type=APP, data=data)


def unused_codes(factor: Any) -> tuple[int, int]:
    """Return how many recovery codes of a factor are not used, and how many there were."""
    number = app_settings.RECOVERY_CODE_COUNT
    return number - int(factor.data["used_mask"]).bit_count(), number


def replace_recovery_codes(user: User) -> list[str]:
    """Store new recovery codes of a user in place of any others; return them."""
    factors_of(user).filter(type=RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def encrypt_again() -> int:
    """Encrypt all factors with the current secret key, one by one; return how many."""
    number = 0
    for key in Authenticator.objects.filter(type__in=_ENCRYPTED).values_list("pk", flat=True):
        number += _encrypt_again(key)
    return number


@transaction.atomic
def _encrypt_again(key: int) -> int:
    """Return 1, or 0 if the factor was removed, or is of a key that is no longer accepted."""
    factor = Authenticator.objects.select_for_update().filter(pk=key).first()
    if factor is None:
        return 0
    name = _ENCRYPTED[factor.type]
    try:
        factor.data[name] = cipher("second factors").rotate(factor.data[name]).decode()
    except InvalidToken:
        return 0
    factor.save(update_fields=["data"])
    return 1
