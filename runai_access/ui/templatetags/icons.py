"""The `lucide` tag of the lucide package, with a cache of rendered icons.

Settings register this library under the name of the original one.
"""

from functools import lru_cache

from django import template
from lucide.templatetags.lucide import lucide

register = template.Library()
register.simple_tag(lru_cache(maxsize=512)(lucide), name="lucide")
