"""Flash messages: only for pages."""

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest

from runai_access.errors_views import PROGRAM_PATHS

# The one page among the paths of programs.
_API_DOCS = "/api/docs/"


class PageMessageMiddleware(MessageMiddleware):
    """Prepares the storage of messages for pages. Programs get none, so that costs them nothing."""

    def process_request(self, request: HttpRequest) -> None:
        path = request.path_info
        if not path.startswith(PROGRAM_PATHS) or path == _API_DOCS:
            super().process_request(request)
