"""Security incidents of other products: each has a test that names it."""

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
INCIDENTS = {
    "Zitadel CVE-2024-47000": "a disabled service account still got tokens",
    "authentik CVE-2025-64521": "a deactivated service account still got tokens",
    "Vaultwarden CVE-2026-43911": "tokens outlived the rotation of their credential",
    "Vault CVE-2024-8365": "secrets in the audit log",
    "Vault CVE-2023-24999": "another role's credential was destroyed by its id",
    "Keycloak CVE-2025-7784": "who managed users became administrator",
    "Keycloak CVE-2024-4629": "parallel sign-ins beat the limit",
    "Django CVE-2024-39329": "time told known users from unknown ones",
    "Authlib CVE-2026-27962": "a key that the token brought along was believed",
    "PyJWT CVE-2026-32597": "an extension that must be understood was not, and passed",
    "authentik CVE-2023-36456": "a forwarded address was believed from anyone",
    "Vault CVE-2021-38554": "the UI kept secrets from one session to the next",
}


@pytest.mark.parametrize("incident", INCIDENTS)
def test_each_incident_has_a_test_that_names_it(incident: str) -> None:
    elsewhere = (file for file in TESTS.rglob("test_*.py") if file != Path(__file__))
    assert any(
        incident in " ".join(file.read_text(encoding="utf-8").split()) for file in elsewhere
    ), f"No test names {incident} ({INCIDENTS[incident]})."
