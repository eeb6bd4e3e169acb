"""Flash messages: only for pages."""

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest

from runai_access.errors_views import PROGRAM_PATHS


class PageMessageMiddleware(MessageMiddleware):
    """Prepares the storage of messages for pages. Programs get none, so that costs them nothing."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.path_info.startswith(PROGRAM_PATHS):
            super().process_request(request)
