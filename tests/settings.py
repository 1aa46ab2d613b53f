"""The service's settings as the tests run them: fixed secrets, nothing from a .env file."""

import os

os.environ["SECRET_KEY"] = "tests"
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ["LOG_JSON"] = "false"
# A test changes what is stored and asks again at once.
os.environ["CACHE_MEMORY_MB"] = "0"
# Nor for longer because the machine is busy.
os.environ["CACHE_REST_FACTOR"] = "0"
# All tests are one client.
os.environ["RATE_LIMIT"] = os.environ["RATE_LIMIT_BULK"] = "0"

from funnel.settings import *  # noqa: F403

# What makes a password hard to guess makes a log-in slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
