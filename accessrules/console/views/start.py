"""Where everyone starts: the first page that has something to show to them."""

from typing import Any

from django.views.generic import RedirectView

from accessrules.authorization.callers import caller_of
from accessrules.console.navigation import start_page


class StartView(RedirectView):
    """Leads to the start page of whoever is signed in."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:  # as Django calls it
        return start_page(caller_of(self.request))
