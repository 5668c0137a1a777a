"""The one line of INSTALLED_APPS."""

from django.apps import AppConfig, apps
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
        from newsletter.delivery.metrics import add_gauges
        from newsletter.desk.approval import approve_published
        from newsletter.desk.gauges import desk_gauges

        add_gauges(desk_gauges)
        if apps.is_installed("anymail"):
            from anymail.signals import tracking

            from newsletter.delivery.bounces.provider_events import receive_tracking

            tracking.connect(receive_tracking, dispatch_uid="newsletter_provider_events")
        published.connect(
            approve_published,
            sender=self.get_model("Digest"),
            dispatch_uid="newsletter_approve_published",
        )
