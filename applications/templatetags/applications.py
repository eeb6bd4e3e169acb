"""What templates of the Applications page ask its table."""

from typing import Any

from django import template

from applications.models import Application
from applications.tables import ApplicationTable

register = template.Library()


@register.simple_tag
def rules_of(table: ApplicationTable, application: Application) -> list[Any]:
    """Return the application's rules in the order in which its cell names them."""
    return table.rules_of(application)
