"""Machines of agencies have no page in the admin; who made and switched them off is for auditors to read."""

from accounts.admin import for_auditors
from api.models import ApiClient
from common.admin import site

site.subjects["api.apiclient"] = for_auditors(ApiClient)
