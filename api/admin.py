"""OAuth's own tables stay out of the admin: clients are made and switched off by command, tokens are nobody's to read."""

from django.contrib import admin
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

for _model in (Application, AccessToken, Grant, IDToken, RefreshToken):
    admin.site.unregister(_model)
