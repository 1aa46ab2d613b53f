from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from funnel.erasure import erasers
        from notifications.read_marks import forget

        erasers.append(forget)
