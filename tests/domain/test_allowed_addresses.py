"""Allowed addresses: valid networks, grants and API calls from other addresses, and what is audited."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accessrules.authorization.callers import SYSTEM
from applications.addresses import is_allowed, valid_networks
from applications.details import DetailsChange, change_details
from applications.models import Application, SecretUse
from applications.oauth.client_authentication import recognize, sign_in
from applications.oauth.lookups import FoundApplication
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from tests import factories

INSIDE, OUTSIDE = "192.0.2.7", "198.51.100.9"
SECRET = new_secret()
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def ci(db: None) -> Application:
    """An administrator that can be used from 192.0.2.0/24 only."""
    made = factories.application("ci", ("System administrator", factories.account()), secret=SECRET)
    restrict(made, "192.0.2.0/24")
    return made


def restrict(application: Application, *networks: str) -> None:
    change_details(
        caller=SYSTEM, application_id=application.pk, change=DetailsChange(networks=networks)
    )


def refusals() -> list[tuple[str, str | None]]:
    events = AuditEvent.objects.filter(result="Failed").order_by("pk")
    return list(events.values_list("reason", "source_ip"))


# Networks.


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" 192.0.2.7 ", "192.0.2.7/32"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
    ],
)
def test_network_is_stored_in_canonical_form(text: str, stored: str) -> None:
    assert valid_networks([text, "", text]) == [stored]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["192.0.2.7/24"], "“192.0.2.7/24” is an address in a network. Write 192.0.2.0/24"),
        (["2001:db8::1/32"], "Write 2001:db8::/32 for the network"),
        (["example.com"], "“example.com” is not an address or a network."),
        (["192.0.2.0/33"], "is not an address or a network."),
        ([f"10.0.{n // 256}.{n % 256}" for n in range(1_000)], "at most 50 allowed addresses"),
    ],
)
def test_invalid_networks_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        valid_networks(texts)
    assert message in caught.value.messages[0]


@pytest.mark.parametrize(
    ("networks", "address", "expected"),
    [
        ("", OUTSIDE, True),
        ("", None, True),
        ("192.0.2.0/24", INSIDE, True),
        ("192.0.2.0/24", OUTSIDE, False),
        ("192.0.2.0/24", "::ffff:192.0.2.7", True),
        ("192.0.2.0/24", None, False),
        ("192.0.2.0/24", "2001:db8::1", False),
        ("192.0.2.0/24 2001:db8::/32", "2001:db8::1", True),
    ],
)
def test_address_is_matched_with_the_networks(
    networks: str, address: str | None, expected: bool
) -> None:
    assert is_allowed(networks, address) is expected


def test_change_is_audited_and_refused_as_a_whole(ci: Application) -> None:
    event = AuditEvent.objects.latest("pk")
    assert event.changes == {"allowedAddresses": [None, "192.0.2.0/24"]}
    with pytest.raises(ValidationError) as caught:
        restrict(ci, "10.0.0.0/8", "10.0.0.1/8")
    assert list(caught.value.message_dict) == ["allowedAddresses"]
    assert Application.objects.get().networks == ["192.0.2.0/24"]


# Use.


@pytest.mark.parametrize("authenticate", [sign_in, recognize])
def test_grant_from_another_address_is_refused_and_audited(
    ci: Application, authenticate: Callable[[str, str, Origin], FoundApplication | None]
) -> None:
    found = authenticate("ci", SECRET, Origin(INSIDE))
    assert found
    assert found.id == ci.pk
    assert authenticate("ci", SECRET, Origin(OUTSIDE)) is None
    assert authenticate("ci", SECRET, Origin(None)) is None
    assert refusals() == [("address not allowed", OUTSIDE), ("address not allowed", None)]
    assert AuditEvent.objects.filter(result="Failed", entity_id=str(ci.pk)).count() == 2
    assert not SecretUse.objects.filter(address=OUTSIDE).exists()


def test_refusal_by_address_answers_like_a_wrong_secret(ci: Application) -> None:
    responses = []
    for secret in (SECRET, new_secret()):
        form = {"grant_type": "client_credentials", "client_id": "ci", "client_secret": secret}
        body = "&".join(f"{name}={value}" for name, value in form.items())
        response = Client().post(
            "/api/v2/token", body, content_type="application/x-www-form-urlencoded",
            REMOTE_ADDR=OUTSIDE,
        )  # fmt: skip
        responses.append((response.status_code, response.content))
    assert responses[0] == responses[1]
    assert responses[0][0] == 401


def test_token_works_only_from_allowed_addresses(ci: Application) -> None:
    api = Client(headers={"Authorization": f"Bearer {issue(ci).text}"})
    assert api.get("/api/v1/apps", REMOTE_ADDR=INSIDE).status_code == 200
    answer = api.get("/api/v1/apps", REMOTE_ADDR=OUTSIDE)
    assert answer.status_code == 401
    assert "can't be used from this address" in answer.json()["details"]
    assert refusals() == [("address not allowed", OUTSIDE)]
    restrict(ci, "192.0.2.0/24", OUTSIDE)
    assert api.get("/api/v1/apps", REMOTE_ADDR=OUTSIDE).status_code == 200


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke"])
def test_bearer_from_another_address_manages_no_tokens(ci: Application, path: str) -> None:
    bearer = f"Bearer {issue(ci).text}"
    for address, status in ((INSIDE, 200), (OUTSIDE, 401)):
        answer = Client(REMOTE_ADDR=address).post(
            path, "token=unknown", FORM, HTTP_AUTHORIZATION=bearer
        )
        assert answer.status_code == status
    assert refusals() == [("address not allowed", OUTSIDE)]
