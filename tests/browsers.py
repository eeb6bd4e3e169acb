"""Django's test client with a signed-in user."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.test import Client

from runai_access.accounts.models import User
from runai_access.accounts.sessions import SessionStore


def signed_in(person: User, **options: Any) -> Client:
    """Return a browser with a new session of that person.

    `Client.force_login` would first store an empty session and then replace it: twice the queries.
    """
    client, request = Client(**options), HttpRequest()
    request.session = SessionStore()
    login(request, person)
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
    return client
