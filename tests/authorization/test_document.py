"""docs/authorization.md matches the code."""

from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from accessrules.management.commands.role_table import role_table

DOCUMENT = Path(settings.BASE_DIR) / "docs/authorization.md"


def test_role_table_is_current(tmp_path: Path) -> None:
    copy = tmp_path / "authorization.md"
    copy.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    call_command("role_table", "--write", str(copy))
    assert copy.read_text(encoding="utf-8") == DOCUMENT.read_text(encoding="utf-8"), (
        "The roles have changed: manage.py role_table --write docs/authorization.md"
    )
    assert role_table() in DOCUMENT.read_text(encoding="utf-8")
