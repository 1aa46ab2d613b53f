from django.apps import AppConfig


class ClickhouseSchemaConfig(AppConfig):
    name = "clickhouse_schema"
    default_auto_field = "django.db.models.BigAutoField"
