"""The tag `lucide` of the package of that name, which draws each icon once and not for every page.

Settings load this library by the name of that one.
"""

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide

register = template.Library()
register.simple_tag(lru_cache(maxsize=512)(lucide), name="lucide")
