"""Template tags of all pages: times, icons, highlighted matches, URLs of dialogs and of histories."""

from django import template

from runai_access.lists import markup
from runai_access.row_urls import history_url
from runai_access.ui.dialogs import dialog_url

register = template.Library()

register.simple_tag(markup.icon)
register.simple_tag(markup.copy_button)
register.simple_tag(markup.moment)
register.filter(markup.marked)
register.simple_tag(dialog_url)
register.simple_tag(history_url)
