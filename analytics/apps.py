from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analytics.observer import observer
        from funnel.metrics import OBSERVED

        OBSERVED.register(observer)
