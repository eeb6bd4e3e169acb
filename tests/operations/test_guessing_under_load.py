"""Other clients are served while forty connections guess passwords or secrets."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import requests

from applications.oauth.secrets import new_secret
from tests import sizes
from tests.conftest import StartServer
from tests.operations.writers import Access
from tests.servers import Server

pytestmark = pytest.mark.any_database

CONNECTIONS, GUESSES = 40, sizes.GUESSES
CSRF = "x" * 32


def guess_password(server: Server, address: str) -> int:
    form = {
        "csrfmiddlewaretoken": CSRF,
        "email": server.admin_email,
        "password": os.urandom(8).hex(),
    }
    return _post(f"{server.url}/sign-in/", form, address, {server.cookie("csrf"): CSRF})


def guess_secret(server: Server, address: str) -> int:
    form = {
        "grant_type": "client_credentials",
        "client_id": f"guess-{os.urandom(4).hex()}",
        "client_secret": new_secret(),
    }
    return _post(f"{server.url}/api/v2/token", form, address)


def _post(
    url: str, form: dict[str, str], address: str, cookies: dict[str, str] | None = None
) -> int:
    headers = {"X-Forwarded-For": address}
    answer = requests.post(url, data=form, headers=headers, cookies=cookies, timeout=60)
    return answer.status_code


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("guess", [guess_password, guess_secret])
@pytest.mark.parametrize("addresses", [1, CONNECTIONS], ids=["one address", "many addresses"])
def test_other_requests_are_served_during_guesses(
    start_server: StartServer, guess: Callable[[Server, str], int], addresses: int
) -> None:
    server = start_server(environment={"RUNAI_ACCESS_TRUSTED_PROXIES": "127.0.0.1"})
    access = Access.of_administrator(server)
    for _ in range(12):  # on separate connections, so that every worker caches the secret
        access.token(server)

    def guesser(number: int) -> list[int]:
        address = f"2001:db8:{number % addresses:x}::1"
        return [guess(server, address) for _ in range(GUESSES)]

    with ThreadPoolExecutor(CONNECTIONS) as guessers:
        guessing = [guessers.submit(guesser, number) for number in range(CONNECTIONS)]
        while wait(guessing, timeout=0).not_done:
            assert requests.get(f"{server.url}/healthz", timeout=0.5).status_code == 200
            assert requests.get(f"{server.url}/sign-in/", timeout=5).status_code == 200
            assert access.token(server)
        statuses = {status for guess_job in guessing for status in guess_job.result()}
    # Wrong, too many, or the hashing queue is full; never a server error.
    assert statuses <= {401, 422, 429, 503}
