"""The one line of INSTALLED_APPS."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = _("Newsletter")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Here, not in wagtail_hooks: a script that publishes has not loaded the admin's hooks.
        from wagtail.signals import published

        # Registers the system checks, and the bells that a request rings.
        from newsletter import checks, tasks  # noqa: F401
        from newsletter.desk.approval import approve_published

        published.connect(
            approve_published,
            sender=self.get_model("Digest"),
            dispatch_uid="newsletter_approve_published",
        )
