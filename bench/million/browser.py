"""A signed-in browser that requests pages."""

import html
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import requests

from bench.million.clock import HEADER
from bench.million.names import ADMINISTRATOR, PASSWORD

Form = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A successful response, its total time, and the measurements of the server."""

    milliseconds: float
    text: str
    figures: dict[str, float]


class Browser:
    """A signed-in browser that requests dialogs."""

    def __init__(self, url: str, email: str = ADMINISTRATOR) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Origin"] = self._url
        _, form = self.form("/sign-in/", {})
        self.post("/sign-in/", [*form, ("email", email), ("password", PASSWORD)])
        self._session.headers.update({"HX-Request": "true", "HX-Target": "dialog"})

    @property
    def cookies(self) -> dict[str, str]:
        return {name: value or "" for name, value in self._session.cookies.items()}

    def form(self, path: str, query: Mapping[str, str]) -> tuple[Answer, Form]:
        """Return a dialog and the values of its form."""
        began = time.perf_counter()
        got = self._session.get(self._url + path, params=query, timeout=300)
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', got.text)
        return answer_of(got, began), [(name, html.unescape(value)) for name, value in hidden]

    def post(self, path: str, form: Iterable[tuple[str, str]]) -> Answer:
        began = time.perf_counter()
        got = self._session.post(self._url + path, data=list(form), timeout=300)
        return answer_of(got, began)


def answer_of(got: requests.Response, began: float) -> Answer:
    """Return the response to a request sent at `began`; raise if it was refused."""
    took = (time.perf_counter() - began) * 1000
    if not got.ok:
        raise AssertionError(f"{got.request.method} {got.url}: {got.status_code} {got.text[:500]}")
    return Answer(took, got.text, json.loads(got.headers.get(HEADER, "{}")))
