"""/.well-known/security.txt (RFC 9116) and its setting."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from runai_access import environment

PATH = "/.well-known/security.txt"
NAME = "RUNAI_ACCESS_SECURITY_CONTACT"


def fields_of(text: str) -> list[tuple[str, str]]:
    return [
        (name, value) for name, _, value in (line.partition(": ") for line in text.splitlines())
    ]


def test_it_contains_contacts_expiry_and_url(settings: Settings) -> None:
    settings.SECURITY_CONTACTS = ["mailto:security@acme.example", "https://acme.example/report"]
    settings.PUBLIC_URL, settings.IS_HTTPS = "https://access.acme.example", True
    answer = Client().get(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    fields = fields_of(answer.content.decode())
    expires = dict(fields).pop("Expires")
    assert fields == [
        ("Contact", "mailto:security@acme.example"),
        ("Contact", "https://acme.example/report"),
        ("Expires", expires),
        ("Preferred-Languages", "en"),
        ("Canonical", "https://access.acme.example/.well-known/security.txt"),
    ]
    left = datetime.fromisoformat(expires) - datetime.now(UTC)
    assert timedelta(days=300) < left < timedelta(days=365)


def test_without_tls_there_is_no_canonical_url(settings: Settings) -> None:
    """RFC 9116 §2.5.2: it must start with https://."""
    settings.SECURITY_CONTACTS, settings.IS_HTTPS = ["tel:+1-201-555-0123"], False
    assert "Canonical" not in Client().get(PATH).content.decode()


def test_without_a_contact_there_is_no_file(settings: Settings) -> None:
    settings.SECURITY_CONTACTS = []
    assert Client().get(PATH).status_code == 404


def test_email_addresses_become_mailto_uris(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " security@acme.example, https://acme.example/r ,tel:+1-201-555-0123")
    assert environment.security_contacts() == [
        "mailto:security@acme.example", "https://acme.example/r", "tel:+1-201-555-0123",
    ]  # fmt: skip
    monkeypatch.setenv(NAME, "mailto:security@acme.example")
    assert environment.security_contacts() == ["mailto:security@acme.example"]
    monkeypatch.delenv(NAME)
    assert environment.security_contacts() == []


@pytest.mark.parametrize(
    "contact",
    [
        "somebody",
        "http://acme.example",
        "javascript:x",
        "a@b\nExpires: never",
        "mailto:",
        "@",
        "a@b c",
    ],
)
def test_an_invalid_contact_is_refused_with_its_value(
    monkeypatch: pytest.MonkeyPatch, contact: str
) -> None:
    monkeypatch.setenv(NAME, f"security@acme.example, {contact}")
    with pytest.raises(ImproperlyConfigured, match=NAME) as refusal:
        environment.security_contacts()
    assert repr(contact) in str(refusal.value)
