"""Django's admin with the page of operations as its first page."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class Administration(AdminConfig):
    default_site = "funnel.operations.OperationsSite"
