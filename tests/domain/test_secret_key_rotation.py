"""After a change of the secret key, the audit log and the signing keys need only the new one."""

from io import StringIO
from pathlib import Path

import pytest
from allauth.mfa.adapter import get_adapter
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from applications.models import SigningKey
from applications.oauth.keyring import KEYRING
from applications.oauth.signing_keys import decrypt_key
from runai_access.accounts.mfa.factors import APP, replace_recovery_codes, use_code
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.audit.archive import archive_before
from runai_access.audit.files import verify_file
from runai_access.audit.models import Countersignature
from runai_access.audit.sealer import seal_waiting
from tests import factories
from tests.domain.audit_log import faults, happened, six_rows, unguarded
from tests.mfa.conftest import SECRET, with_app

pytestmark = pytest.mark.django_db

NEW = "the-new-secret-key-" + "n" * 32


@pytest.fixture
def rows() -> list[int]:
    """The ids of six rows in two seals. They and two keys were created with the former secret key."""
    KEYRING.current()
    with_app(factories.person("rosa@acme.example"))
    return six_rows()


@pytest.fixture
def both_keys(rows: list[int], settings: Settings) -> None:
    """The server has started with the new key, and accepts the former one."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW


@pytest.fixture
def new_key(both_keys: None, settings: Settings) -> None:
    """The change is complete, and the former key is gone."""
    rotate_secret_key()
    settings.SECRET_KEY_FALLBACKS = []


def rotate_secret_key() -> str:
    out = StringIO()
    call_command("rotate_secret_key", stdout=out)
    return out.getvalue()


def test_both_keys_are_accepted_during_the_change(both_keys: None) -> None:
    assert faults() == []
    happened("seven")
    seal_waiting()
    assert faults() == []
    [key] = SigningKey.objects.all()
    assert decrypt_key(key)


def test_after_the_change_only_the_new_key_is_needed(
    new_key: None, rows: list[int], settings: Settings
) -> None:
    assert faults() == []
    [key] = SigningKey.objects.all()
    assert decrypt_key(key)
    happened("seven")
    seal_waiting()
    assert faults() == []


def test_second_factors_need_only_the_new_key_after_the_change(
    rows: list[int], both_keys: None, settings: Settings
) -> None:
    rosa = User.objects.get(email="rosa@acme.example")
    codes = replace_recovery_codes(rosa)
    settings.SECRET_KEY, former = settings.SECRET_KEY_FALLBACKS[0], settings.SECRET_KEY
    assert use_code(rosa, codes[0]) is None, "it was encrypted with the new key"
    settings.SECRET_KEY = former
    assert use_code(rosa, codes[0]), "both keys are accepted"
    assert "2 second factors" in rotate_secret_key()
    settings.SECRET_KEY_FALLBACKS = []
    assert use_code(rosa, codes[1])
    [app] = factors_of(rosa).filter(type=APP)
    assert get_adapter().decrypt(app.data["secret"]) == SECRET


def test_the_former_key_alone_verifies_nothing_new(new_key: None, settings: Settings) -> None:
    settings.SECRET_KEY = settings.SECRET_KEY.replace("n" * 32, "o" * 32)
    assert "different secret key" in faults()[0]


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE audit_auditevent SET entity_name = 'forged' WHERE id = {1}", "Seal 1 or its rows"),
        ("DELETE FROM audit_auditevent WHERE id = {1}", "Seal 1 or its rows"),
        ("UPDATE audit_seal SET sealed_at = newest WHERE number = 2", "Seal 2 or its rows"),
        ("DELETE FROM audit_seal WHERE number = 1", "Seal 1 is missing."),
        ("DELETE FROM audit_countersignature WHERE number = 1", "different secret key"),
        ("UPDATE audit_countersignature SET hash = '' WHERE number = 1", "Seal 1 or its rows"),
    ],
)
def test_tampering_with_rows_of_the_former_key_is_detected(
    new_key: None, rows: list[int], tampering: str, fault: str
) -> None:
    with unguarded() as execute:
        execute(tampering.format(*rows))
    assert fault in faults()[0]


def test_a_log_with_faults_is_not_handed_over(both_keys: None, rows: list[int]) -> None:
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET entity_name = 'forged' WHERE id = %s", [rows[0]])
    with pytest.raises(CommandError, match="Nothing was handed over"):
        rotate_secret_key()
    assert not Countersignature.objects.exists()


def test_a_change_can_be_repeated(new_key: None, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the-third-secret-key-" + "t" * 32
    assert "countersigned 3 seals" in rotate_secret_key()
    assert "countersigned 4 seals" in rotate_secret_key()
    settings.SECRET_KEY_FALLBACKS = []
    assert faults() == []


def test_without_a_former_key_the_command_explains_itself(rows: list[int]) -> None:
    with pytest.raises(CommandError, match="RUNAI_ACCESS_SECRET_KEY_PREVIOUS"):
        rotate_secret_key()


def test_archives_of_both_keys_verify_with_the_new_one(
    rows: list[int], settings: Settings, tmp_path: Path
) -> None:
    former = archive_before(timezone.now(), tmp_path)
    assert former is not None
    happened("seven")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW
    rotate_secret_key()
    settings.SECRET_KEY_FALLBACKS = []
    assert faults() == []
    latter = archive_before(timezone.now(), tmp_path)
    assert latter is not None
    assert verify_file(tmp_path / latter.file_name).faults == []
    assert faults() == []
