"""Every setting of the service, read once from the environment (see .env.example).

A malformed or missing value stops the start with one sentence that names the setting, never its
value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

import funnel

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

T = TypeVar("T")


def read(reader: Callable[..., T], name: str, expected: str, **options: Any) -> T:
    """One setting; `expected` finishes the sentence that an operator reads when it is malformed."""
    try:
        return reader(name, **options)
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"{name} is missing: set it to {expected}.") from error
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"{name} is malformed: it must be {expected}.") from error


def read_boolean(name: str, *, default: bool) -> bool:
    # django-environ takes any unknown word for False; a typing error must not switch a thing off.
    word = read(env.str, name, "true or false", default=str(default)).strip().lower()
    if word in {"true", "1", "yes", "on"}:
        return True
    if word in {"false", "0", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} is malformed: it must be true or false.")


def read_number(name: str, *, default: int, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    expected = f"a whole number from {minimum} to {maximum}"
    number: int = read(env.int, name, expected, default=default)
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name} is malformed: it must be {expected}.")
    return number


def read_list(name: str, *, default: list[str] | None = None) -> list[str]:
    words = read(env.list, name, "a comma-separated list", default=default or [])
    return [word.strip() for word in words if word.strip()]


def read_pubkeys(name: str) -> list[str]:
    pubkeys = read_list(name)
    if not all(re.fullmatch("[0-9a-f]{64}", pubkey) for pubkey in pubkeys):
        raise ImproperlyConfigured(
            f"{name} is malformed: it must be a comma-separated list of pubkeys,"
            " 64 lower-case hex digits each."
        )
    return pubkeys


def read_url(name: str, *, schemes: tuple[str, ...], default: str) -> SplitResult:
    expected = "an address such as " + " or ".join(f"{scheme}://host" for scheme in schemes)
    parts: SplitResult = urlsplit(read(env.str, name, expected, default=default))
    try:
        valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise ImproperlyConfigured(f"{name} is malformed: it must be {expected}.")
    return parts


# --- Django ---------------------------------------------------------------------------------------

DEBUG = read_boolean("DEBUG", default=False)
SECRET_KEY = read(
    env.str,
    "SECRET_KEY",
    "a long random string (it signs admin sessions)",
    # A fixed key is harmless where DEBUG already says that nobody else can reach the service.
    **({"default": "insecure-development-key"} if DEBUG else {}),
)
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    # The admin's first page, its templates and its scripts.
    "funnel",
    "funnel.administration.Administration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "clickhouse_schema",
    "ingestion",
    "videos",
    "analytics",
    "notifications",
]
MIDDLEWARE = [
    "funnel.middleware.StaticFiles",
    "funnel.middleware.RequestLog",
    "funnel.middleware.Cors",
    "funnel.middleware.JsonErrors",
    "funnel.throttling.RateLimit",
    "funnel.middleware.BodyLimit",
    "funnel.auth.ApiToken",
    "django.middleware.security.SecurityMiddleware",
    "funnel.middleware.PageSecurity",
    "funnel.admin_middleware.AdminMiddleware",
    "django.middleware.common.CommonMiddleware",
    "funnel.caching.KeptAnswersFirst",
]
# They look for these in MIDDLEWARE; funnel.admin_middleware has all four.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410", "security.W003"]
# Frames, and what is said of where somebody comes from: funnel.middleware.PageSecurity.
SILENCED_SYSTEM_CHECKS += ["security.W002", "security.W022"]
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = None
ROOT_URLCONF = "funnel.urls"
WSGI_APPLICATION = "funnel.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Nothing has to be collected: the admin's files are served from where their packages have them.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# clickhouse_schema/migrations holds ClickHouse's SQL files, not Django's migrations.
MIGRATION_MODULES = {"clickhouse_schema": None}

# Operations state (admin users, relays, sync cursors), and what people have read of their
# notifications; no public answer depends on it.
DATABASES = {
    "default": read(
        env.db_url,
        "DATABASE_URL",
        "sqlite:///path or postgres://user:password@host/name",
        default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets the admin read while a worker moves its cursor; 20 s is how long a writer waits.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

# --- ClickHouse -----------------------------------------------------------------------------------

_url = read_url(
    "CLICKHOUSE_URL",
    schemes=("clickhouse", "clickhouses"),
    default="clickhouse://127.0.0.1:9000",
)
CLICKHOUSE_USER = read(env.str, "CLICKHOUSE_USER", "a name", default="") or unquote(
    _url.username or "default"
)
CLICKHOUSE_PASSWORD = read(env.str, "CLICKHOUSE_PASSWORD", "a password", default="") or unquote(
    _url.password or ""
)
CLICKHOUSE_DATABASE = (
    read(env.str, "CLICKHOUSE_DATABASE", "a name", default="") or _url.path.strip("/") or "nostr"
)
if not CLICKHOUSE_DATABASE.isidentifier():
    raise ImproperlyConfigured(
        "CLICKHOUSE_DATABASE is malformed: it must be letters, digits and underscores."
    )
# A cluster that the schema is made on; empty: one server.
CLICKHOUSE_CLUSTER = read(env.str, "CLICKHOUSE_CLUSTER", "a name", default="")
if CLICKHOUSE_CLUSTER and not CLICKHOUSE_CLUSTER.isidentifier():
    raise ImproperlyConfigured(
        "CLICKHOUSE_CLUSTER is malformed: it must be letters, digits and underscores."
    )
CLICKHOUSE: dict[str, dict[str, Any]] = {
    # The writer: ingestion and the schema.
    "default": {
        "host": _url.hostname,
        "port": _url.port or (9440 if _url.scheme == "clickhouses" else 9000),
        "secure": _url.scheme == "clickhouses",
        "user": CLICKHOUSE_USER,
        "password": CLICKHOUSE_PASSWORD,
        "database": CLICKHOUSE_DATABASE,
        "connect_seconds": read_number("CLICKHOUSE_CONNECT_SECONDS", default=5, minimum=1),
        "query_seconds": read_number("CLICKHOUSE_WRITE_SECONDS", default=60, minimum=1),
        "readonly": False,
    }
}
# The API's door: the same server, unable to write.
CLICKHOUSE["reader"] = CLICKHOUSE["default"] | {
    "user": read(env.str, "CLICKHOUSE_READER_USER", "a name", default="") or CLICKHOUSE_USER,
    "password": read(env.str, "CLICKHOUSE_READER_PASSWORD", "a password", default="")
    or CLICKHOUSE_PASSWORD,
    "query_seconds": read_number("CLICKHOUSE_READ_SECONDS", default=10, minimum=1),
    "memory_mb": read_number("CLICKHOUSE_READ_MEMORY_MB", default=2_048, minimum=16),
    "readonly": True,
}

# --- Ingestion ------------------------------------------------------------------------------------

RELAY_URL = read(env.str, "RELAY_URL", "a ws:// or wss:// address", default="")
RELAY_URLS = read_list("RELAY_URLS") or ([RELAY_URL] if RELAY_URL else [])
for _relay in RELAY_URLS:
    if urlsplit(_relay).scheme not in {"ws", "wss"} or not urlsplit(_relay).hostname:
        raise ImproperlyConfigured("RELAY_URL is malformed: it must be ws://host or wss://host.")
# Signs in where a relay asks for it (NIP-42): nsec1… or 64 hex digits. Empty: the worker can't.
RELAY_SECRET_KEY = read(env.str, "RELAY_SECRET_KEY", "nsec1… or 64 hex digits", default="")
# Empty: all kinds but ephemeral ones and messages between people; those listed and no others.
_kinds = read_list("INGEST_KINDS")
if not all(word.isascii() and word.isdigit() and int(word) < 2**16 for word in _kinds):
    raise ImproperlyConfigured(
        "INGEST_KINDS is malformed: it must be a comma-separated list of kinds from 0 to 65535."
    )
INGEST_KINDS = [int(word) for word in _kinds]
# Where the worker shows its numbers to Prometheus; 0: nowhere.
INGEST_METRICS_PORT = read_number("INGEST_METRICS_PORT", default=0, maximum=65_535)
BATCH_SIZE = read_number("BATCH_SIZE", default=1000, minimum=1, maximum=100_000)
BATCH_MAX_MS = read_number("BATCH_MAX_MS", default=100, minimum=1, maximum=60_000)
VERIFY = read(env.str, "VERIFY", "full or trusted", default="full").strip().lower()
if VERIFY not in {"full", "trusted"}:
    raise ImproperlyConfigured("VERIFY is malformed: it must be full or trusted.")
# The ids of stored events that workers share. Empty: each worker knows its own alone.
DEDUP_REDIS_URL = read(env.str, "DEDUP_REDIS_URL", "redis://host:port/number", default="")
if DEDUP_REDIS_URL:
    read_url("DEDUP_REDIS_URL", schemes=("redis", "rediss"), default="")
# How far behind a cursor each catch-up starts again: relays accept backdated events.
CATCHUP_OVERLAP = read_number("CATCHUP_OVERLAP", default=2 * 24 * 3600)
# How far back a relay is read that never was before; 0: all that it has.
FIRST_SYNC_WINDOW = read_number("FIRST_SYNC_WINDOW", default=0)
SHUTDOWN_SECONDS = read_number("SHUTDOWN_SECONDS", default=20, minimum=1)
# The address of this service, which a request to vanish may name (NIP-62), as it may our relays.
# Signatures of requests (NIP-98) are checked against it too.
PUBLIC_URL = read(env.str, "PUBLIC_URL", "https://host", default="")
# The admin's cookies go over TLS alone where the service is reached by it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
# HSTS and the way from http to https are the business of the proxy that ends TLS; what asks here
# directly, such as a probe, is not to be sent away.
SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008"]

# Pubkeys of payment servers whose zap receipts count as verified (NIP-57).
ZAP_SIGNERS = read_pubkeys("ZAP_SIGNERS")
# Pubkeys whose labels add hashtags to videos and mark them sensitive (NIP-32).
TRUSTED_LABELERS = read_pubkeys("TRUSTED_LABELERS")
# Pubkeys whose follows give standing, without which nobody's acts move what is trending; and over
# how many follows. Without any, everybody with a history counts alike.
TRUST_SEEDS = read_pubkeys("TRUST_SEEDS")
TRUST_HOPS = read_number("TRUST_HOPS", default=2, minimum=0, maximum=4)
# How long the projector rests after a pass that found nothing more to do.
PROJECT_INTERVAL_MS = read_number("PROJECT_INTERVAL_MS", default=50, minimum=10, maximum=60_000)
# Where the projector shows its numbers to Prometheus; 0: nowhere.
PROJECT_METRICS_PORT = read_number("PROJECT_METRICS_PORT", default=0, maximum=65_535)

# --- HTTP -----------------------------------------------------------------------------------------

# Tokens that close the API to everybody else; none: it is open. Several, so that one can be changed
# while clients still send the other.
API_TOKENS = read_list("API_TOKEN")
if not all(token.isascii() and token.isprintable() for token in API_TOKENS):
    raise ImproperlyConfigured("API_TOKEN is malformed: it must be printable ASCII.")

# Requests of one client in a minute, and those that ask for many things at once; 0: any number.
RATE_LIMIT = read_number("RATE_LIMIT", default=300)
RATE_LIMIT_BULK = read_number("RATE_LIMIT_BULK", default=120)
# How many proxies of ours a request comes through: the client stands so far from the end of
# X-Forwarded-For. 0: none, and the header is the client's word.
TRUSTED_PROXIES = read_number("TRUSTED_PROXIES", default=0, maximum=10)
# A hundred ids take 10 kB; an admin's form less.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# How long everybody is shown one computation of an answer; and how long it may be shown at most, by
# us while another one is computed and by the caches of others: a list, and numbers.
CACHE_FRESH_SECONDS = read_number("CACHE_FRESH_SECONDS", default=1, minimum=1, maximum=3600)
# For so many times what it took everybody is shown it, if that is longer.
CACHE_REST_FACTOR = read_number("CACHE_REST_FACTOR", default=20, maximum=1_000)
CACHE_LIST_SECONDS = read_number("CACHE_LIST_SECONDS", default=30, minimum=1, maximum=3600)
CACHE_STATS_SECONDS = read_number("CACHE_STATS_SECONDS", default=15, minimum=1, maximum=3600)
# How much memory each worker has for answers; 0: it keeps none.
CACHE_MEMORY_MB = read_number("CACHE_MEMORY_MB", default=64, maximum=65_536)
# Where workers share answers and counts of requests. Empty: each has its own.
CACHE_URL = read(env.str, "CACHE_URL", "redis://host:port/number", default="")
CACHES: dict[str, dict[str, Any]] = {
    # Apart from answers, so that a flood of those cannot push a count out.
    "guards": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "guards",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
if CACHE_URL:
    read_url("CACHE_URL", schemes=("redis", "rediss"), default="")
    CACHES = {
        alias: {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL,
            "KEY_PREFIX": f"funnel:{alias}",
            # A slower answer is worth less than one that is computed here.
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
        for alias in ("guards", "answers")
    }
# Django wants one of that name; nobody asks it.
CACHES["default"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}

# Where people reach the admin over TLS, its cookies stay on it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["funnel.renderers.OrjsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "funnel.renderers.JsonWhateverAccepted",
    "DEFAULT_PARSER_CLASSES": ["funnel.parsers.OrjsonParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "funnel.openapi.EndpointSchema",
    "EXCEPTION_HANDLER": "funnel.errors.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Funnel",
    "DESCRIPTION": (
        "Which videos on Nostr are new, popular and trending, and what counts each one has. "
        "Times are Unix seconds. Unknown parameters are ignored."
    ),
    "VERSION": funnel.__version__,
    "OAS_VERSION": "3.1.1",
    "SORT_OPERATION_PARAMETERS": False,
    # A server may ask for a token, and most do not.
    "APPEND_COMPONENTS": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "SECURITY": [{}, {"token": []}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list"},
}
PROMETHEUS_EXPORT_MIGRATIONS = False

# --- Logs -----------------------------------------------------------------------------------------

LOG_LEVEL = read(env.str, "LOG_LEVEL", "a level such as INFO", default="INFO").upper()
LOG_JSON = read_boolean("LOG_JSON", default=not DEBUG)
LOGGING_CONFIG = "funnel.logs.configure"
LOGGING = {"level": LOG_LEVEL, "json": LOG_JSON}
