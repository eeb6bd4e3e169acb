"""A resource server (django-oauth-toolkit) that accepts our tokens by introspection (RFC 7662).

    python resource_server.py BASE_URL CLIENT_ID CLIENT_SECRET TOKEN

Prints the status of its protected page for the token. It uses the URL of the installation, like the
API of a platform, because the library checks the audience of tokens.
"""

import sys
from urllib.parse import urlsplit

import django
from django.conf import settings


def main(base_url: str, client_id: str, secret: str, token: str) -> None:
    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "oauth2_provider",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="of another server",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "RESOURCE_SERVER_INTROSPECTION_URL": f"{base_url}/oauth2/introspect",
            "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": (client_id, secret),
        },
    )
    django.setup()
    from django.core.management import call_command
    from django.http import HttpRequest, HttpResponse
    from django.test import RequestFactory
    from oauth2_provider.decorators import protected_resource

    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse("the resource")

    call_command("migrate", verbosity=0)
    headers = {"Authorization": f"Bearer {token}", "Host": urlsplit(base_url).netloc}
    request = RequestFactory().get("/api/v1/projects", headers=headers)
    print(protected_resource()(page)(request).status_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
