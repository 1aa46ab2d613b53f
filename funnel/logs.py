"""Log lines by structlog, those of libraries too: JSON for machines, colours on a terminal."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import TypedDict

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.typing import Processor


class LogSettings(TypedDict):
    level: str
    json: bool


def configure(settings: LogSettings) -> None:
    """Django's LOGGING_CONFIG hook; called once, when Django starts.

    Every line carries `event`, `level`, `logger`, `timestamp` (UTC) and what is bound to the
    context, such as `request_id`.
    """
    if settings["level"] not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured("LOG_LEVEL is malformed: it must be a level such as INFO.")

    # Shared, so that a line of a library looks like one of ours.
    enrich: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings["json"]:
        # Plain tracebacks: the structured ones would print every local variable, secrets too.
        render += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        render += [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *enrich,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {
                "traceback": {
                    "()": "django.utils.log.CallbackFilter",
                    "callback": lambda record: bool(record.exc_info),
                }
            },
            "formatters": {
                "structlog": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": enrich,
                    "processors": render,
                }
            },
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "structlog"},
            },
            "root": {"handlers": ["stderr"], "level": settings["level"]},
            "loggers": {
                "django": {"handlers": [], "level": "NOTSET", "propagate": True},
                # `request_answered` says all that these two would repeat, path and Host included;
                # what is left to them is the traceback of a bug.
                "django.request": {"filters": ["traceback"]},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            },
        }
    )
