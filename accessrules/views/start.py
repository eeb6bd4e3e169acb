"""Where everyone starts: the first page that has something to show to them."""

from typing import Any

from django.views.generic import RedirectView

from accessrules.business import start_page
from accessrules.callers import caller_of


class StartView(RedirectView):
    """Leads to the start page of whoever is signed in."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:  # as Django calls it
        return start_page(caller_of(self.request))
