"""Measurements, one command each; what they import of the apps needs Django's settings."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
