"""The admin: one site of its own, lists that stay fast, forms that save and record, nothing that deletes.

The rules of people stand in the apps above: `site.may_enter` and `site.may_change` are set by accounts, and each
registered class answers which rows its reader may see.
"""

from common.admin.base import ActionAdmin, ViewAdmin
from common.admin.forms import RecordedForm
from common.admin.journal import JournalAdmin
from common.admin.lists import ChoiceFilter, VisibleFilter
from common.admin.site import site
from common.models import JournalEntry

__all__ = ["ActionAdmin", "ChoiceFilter", "RecordedForm", "ViewAdmin", "VisibleFilter", "site"]

site.register(JournalEntry, JournalAdmin)
