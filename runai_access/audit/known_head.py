"""The newest known head of the chain, in a file outside the database.

The chain alone can't show that its end was removed, or all of it. A head that is stored elsewhere can.
Sealing writes the file and `verify_audit` compares with it. Each database has a separate file.
"""

import hashlib
import os
import re
from pathlib import Path

from django.conf import settings
from django.db import connection

from runai_access.audit.models import Archive, Seal

Head = tuple[int, str]
_TEXT = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


def head() -> Head:
    """Return the number and hash of the last seal, or of the last archived one if none is left."""
    archived = Archive.objects.order_by("-last_seal").values_list("last_seal", "head").first()
    last = Seal.objects.order_by("-number").values_list("number", "hash").first()
    return max(archived or (0, ""), last or (0, ""))


def is_in_chain(known: Head) -> bool:
    """Return whether the chain still contains a head, or an archive covers it."""
    number, hash_ = known
    return (
        Seal.objects.filter(number=number, hash=hash_).exists()
        or Archive.objects.filter(last_seal__gt=number).exists()
        or Archive.objects.filter(last_seal=number, head=hash_).exists()
    )


def parse(text: str) -> Head:
    """Return a head from NUMBER:HASH. Raises ValueError."""
    match = _TEXT.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("must be NUMBER:HASH, as printed by verify_audit.")
    return int(match[1]), match[2]


def file() -> Path:
    """Return the file of this database's newest known head."""
    settings_ = connection.settings_dict
    name = settings_["NAME"]
    where = Path(name).absolute() if connection.vendor == "sqlite" else name
    identity = f"{connection.vendor}\n{settings_['HOST']}\n{settings_['PORT']}\n{where}"
    return settings.VAR_DIR / f"audit-head-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def read() -> Head | None:
    """Return the newest known head, or None if there is none. Raises OSError and ValueError."""
    try:
        return parse(file().read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def write(known: Head) -> None:
    """Replace the newest known head. Raises OSError."""
    target = file()
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"{known[0]}:{known[1]}\n")
    draft.replace(target)
