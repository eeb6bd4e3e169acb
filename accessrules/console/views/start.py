"""The landing page: a redirect to the first page that the user can open."""

from typing import Any

from django.views.generic import RedirectView

from accessrules.authorization.callers import caller_of
from accessrules.console.navigation import start_page


class StartView(RedirectView):
    """Redirects to the start page of the signed-in user."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return start_page(caller_of(self.request))
