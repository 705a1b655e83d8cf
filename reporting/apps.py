from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportingConfig(AppConfig):
    name = "reporting"
    verbose_name = _("Reports and reminders")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from reporting import notices

        notices.be_asked_before_sending()
