"""Sign-in with an identity provider: matching of users, groups, and attacks."""

from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings

from accessrules.models import GroupMembership
from runai_access.accounts.mfa.pending import _PENDING
from runai_access.accounts.models import GroupMapping, User
from runai_access.audit.models import AuditEvent
from runai_access.security.outgoing import is_public
from tests import factories
from tests.mfa.conftest import PASSWORD, enter_password, with_app
from tests.sso.conftest import CALLBACK, FakeProvider, begin, finish, sign_in

pytestmark = pytest.mark.django_db
LIST = "/account/"


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example")


def is_signed_in(client: Client) -> bool:
    return client.get(LIST).status_code == 200


def reasons() -> set[str]:
    return set(AuditEvent.objects.filter(action="sign-in").values_list("reason", flat=True))


def test_first_sign_in_links_the_user_with_the_verified_email(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    answer = sign_in(client, provider, next=LIST)
    assert (answer.status_code, answer.url) == (302, LIST)
    assert is_signed_in(client)
    linked = SocialAccount.objects.get(user=rosa)
    assert (linked.provider, linked.uid) == (provider.issuer, "1")
    assert reasons() == {f"with {provider.issuer}"}


def test_sign_in_ends_the_second_step_of_another_user(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    gus = factories.person("gus@acme.example", password=PASSWORD)
    with_app(gus)
    enter_password(client, gus.email)
    assert _PENDING in client.session
    sign_in(client, provider)
    assert is_signed_in(client)
    assert _PENDING not in client.session


def test_request_has_pkce_state_and_nonce(client: Client, provider: FakeProvider) -> None:
    request = begin(client, provider)
    assert request["code_challenge_method"] == "S256"
    assert len(request["state"]) > 40 < len(request["nonce"]) + 1


def test_changed_email_keeps_the_user(client: Client, provider: FakeProvider, rosa: User) -> None:
    sign_in(client, provider)
    provider.claims = {"email": "rosalind@acme.example"}
    again = Client()
    assert sign_in(again, provider).status_code == 302
    assert again.get(LIST).context["object"] == rosa


def test_reused_email_of_another_subject_is_refused(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    sign_in(client, provider)
    provider.claims = {"sub": "2"}
    other = Client()
    assert sign_in(other, provider).status_code == 403
    assert not is_signed_in(other)


@pytest.mark.parametrize("verified", [False, None, "false", 1])
def test_unverified_email_is_refused(
    client: Client, provider: FakeProvider, rosa: User, verified: object
) -> None:
    provider.claims = {"email_verified": verified}
    assert sign_in(client, provider).status_code == 403
    assert not is_signed_in(client)


def test_administrator_is_not_linked_by_email(client: Client, provider: FakeProvider) -> None:
    factories.person("rosa@acme.example", "System administrator")
    assert sign_in(client, provider).status_code == 403
    assert not SocialAccount.objects.exists()


def test_administrator_without_a_password_is_told_what_to_do(
    client: Client, provider: FakeProvider
) -> None:
    rosa = factories.person("rosa@acme.example", "System administrator")
    rosa.set_unusable_password()
    rosa.save()
    assert "remove the role" in sign_in(client, provider).content.decode()


def test_query_of_the_authorization_endpoint_is_kept(
    client: Client, provider: FakeProvider
) -> None:
    endpoint = f"{provider.issuer}/authorize?p=policy"
    provider.metadata = {"authorization_endpoint": endpoint}
    url = client.post("/sign-in/provider/").context["url"]
    query = parse_qs(urlsplit(url).query)
    assert url.count("?") == 1
    assert (query["p"], query["client_id"]) == (["policy"], ["console"])


def test_missing_issuer_is_refused_if_the_provider_announces_it(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    request = begin(client, provider)
    assert finish(client, request, iss=provider.issuer, code="a").status_code == 302
    assert finish(Client(), begin(other := Client(), provider), code="b").status_code == 400
    assert finish(other, begin(other, provider), code="c").status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "::1",
        "fec0::1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "::7f00:1",
        "::ffff:10.0.0.1",
    ],
)
def test_addresses_that_lead_to_private_ones_are_private(address: str) -> None:
    assert not is_public(address)


def test_disabled_user_is_refused(client: Client, provider: FakeProvider, rosa: User) -> None:
    sign_in(client, provider)
    rosa.subject.enabled = False
    rosa.subject.save()
    assert sign_in(Client(), provider).status_code == 403


def test_unknown_user_is_created_only_if_allowed(
    client: Client, provider: FakeProvider, settings: Settings
) -> None:
    assert sign_in(client, provider).status_code == 403
    assert not User.objects.exists()
    object.__setattr__(settings.OIDC, "creates_users", True)
    assert sign_in(client, provider).status_code == 302
    created = AuditEvent.objects.get(action="create", entity_type="user")
    assert (created.entity_name, created.subject_type) == ("rosa@acme.example", "system")


def test_groups_follow_the_claim(client: Client, provider: FakeProvider, rosa: User) -> None:
    engineers, manual = factories.group("engineers"), factories.group("manual", rosa)
    GroupMapping.objects.create(value="eng", group_id=engineers.pk)
    provider.claims = {"groups": ["eng", "other"]}
    sign_in(client, provider)
    held = GroupMembership.objects.filter(member=rosa.subject)
    assert set(held.values_list("group", flat=True)) == {engineers.pk, manual.pk}
    provider.claims = {}
    sign_in(Client(), provider)
    assert set(held.values_list("group", flat=True)) == {manual.pk}


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["console", "another"]},
        {"azp": "another-client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"sub": ""},
        {"sub": "x" * 192},
    ],
)
def test_wrong_claims_are_refused(
    client: Client, provider: FakeProvider, rosa: User, claims: dict[str, object]
) -> None:
    provider.claims = claims
    assert sign_in(client, provider).status_code == 403
    assert not is_signed_in(client)


def test_wrong_signature_is_refused(client: Client, provider: FakeProvider, rosa: User) -> None:
    provider.signing_key = ec.generate_private_key(ec.SECP256R1())
    assert sign_in(client, provider).status_code == 403


def test_replayed_callback_is_refused(client: Client, provider: FakeProvider, rosa: User) -> None:
    request = begin(client, provider)
    assert finish(client, request).status_code == 302
    client.post("/sign-out/")
    assert finish(client, request).status_code == 400
    assert not is_signed_in(client)


def test_replayed_code_in_another_flow_is_refused(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    finish(client, begin(client, provider), code="stolen")
    other = Client()
    assert finish(other, begin(other, provider), code="stolen").status_code == 403
    assert not is_signed_in(other)


def test_callback_of_another_browser_is_refused(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    assert finish(Client(), begin(client, provider)).status_code == 400
    assert client.get(CALLBACK).status_code == 400


def test_mix_up_is_refused(client: Client, provider: FakeProvider, rosa: User) -> None:
    request = begin(client, provider)
    assert finish(client, request, iss="https://evil.example").status_code == 403


def test_next_is_a_local_path(client: Client, provider: FakeProvider, rosa: User) -> None:
    assert sign_in(client, provider, next="https://evil.example/").url == "/"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://169.254.169.254/"},
        {"jwks_uri": None},
    ],
)
def test_bad_metadata_is_refused(
    client: Client, provider: FakeProvider, metadata: dict[str, object]
) -> None:
    provider.metadata = metadata
    assert client.post("/sign-in/provider/").status_code == 503


def test_large_metadata_is_refused(client: Client, provider: FakeProvider) -> None:
    provider.padding = "x" * 300_000
    assert client.post("/sign-in/provider/").status_code == 503


def test_redirects_are_not_followed(client: Client, provider: FakeProvider) -> None:
    provider.redirects_to = f"{provider.issuer}/keys"
    assert client.post("/sign-in/provider/").status_code == 503
    assert provider.requests == ["/.well-known/openid-configuration"]


def test_private_addresses_of_other_hosts_are_refused(
    client: Client, provider: FakeProvider, rosa: User
) -> None:
    provider.metadata = {"token_endpoint": "https://127.0.0.1:9/token"}
    assert sign_in(client, provider).status_code == 403
    assert any("private address" in reason for reason in reasons())


def test_provider_down_is_reported(client: Client, provider: FakeProvider) -> None:
    provider.server.shutdown()
    provider.server.server_close()
    answer = client.post("/sign-in/provider/")
    assert answer.status_code == 503
    assert "Sign-in with Acme ID failed" in answer.content.decode()
