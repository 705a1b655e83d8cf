"""The admin tells the journal in the words of the history pages."""

from common.admin import site
from portal.journal import readable

site.in_words = readable
