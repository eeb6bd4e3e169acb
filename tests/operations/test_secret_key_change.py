"""Sessions and tokens survive a change of the secret key, which replaces one replica at a time."""

import re

import pytest
import requests

from tests.conftest import StartServer
from tests.operations.test_backup import new_client, token_status
from tests.servers import Server

pytestmark = pytest.mark.any_database

KEY, PREVIOUS = "RUNAI_ACCESS_SECRET_KEY", "RUNAI_ACCESS_SECRET_KEY_PREVIOUS"
FORMER, NEW = "the-former-key-" + "f" * 32, "the-new-key-" + "n" * 32
# Cookies have the same name on all replicas.
URL = {"RUNAI_ACCESS_URL": "http://127.0.0.1:8000", "RUNAI_ACCESS_WORKERS": "1"}


def sign_in(server: Server) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{server.url}/sign-in/", timeout=30)
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found
    form = {
        "email": server.admin_email,
        "password": server.admin_password,
        "csrfmiddlewaretoken": found[1],
    }
    session.post(f"{server.url}/sign-in/", data=form, timeout=30, allow_redirects=False)
    assert is_signed_in(session, server)
    return session


def is_signed_in(session: requests.Session, server: Server) -> bool:
    answer = session.get(f"{server.url}/account/", timeout=30, allow_redirects=False)
    return answer.status_code == 200


def test_sessions_and_tokens_survive_a_rolling_change(start_server: StartServer) -> None:
    one = start_server(environment={**URL, KEY: FORMER, PREVIOUS: NEW})
    client = new_client(one.environment, "robot")
    session = sign_in(one)
    token = requests.post(f"{one.url}/api/v2/token", data=client, timeout=30).json()["access_token"]

    two = start_server(database=one.database, environment={**URL, KEY: NEW, PREVIOUS: FORMER})
    assert is_signed_in(session, two)
    later_session = sign_in(two)
    assert is_signed_in(later_session, one)
    for server in (one, two):
        assert is_signed_in(session, server)
        assert token_status(server, client) == 200
    one.stop()
    # The next request of each session renews it with the new key.
    assert is_signed_in(session, two)
    assert is_signed_in(later_session, two)
    rotated = two.command("rotate_secret_key")
    assert rotated.returncode == 0, rotated.stderr
    verified = two.command("verify_audit")
    assert verified.returncode == 0, verified.stdout
    two.stop()

    three = start_server(database=one.database, environment={**URL, KEY: NEW})
    assert is_signed_in(session, three)
    assert is_signed_in(later_session, three)
    assert token_status(three, client) == 200
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{three.url}/api/v1/apps", headers=headers, timeout=30)
    assert answer.status_code == 403, "authenticated, without an access rule"
    verified = three.command("verify_audit")
    assert verified.returncode == 0, verified.stdout
