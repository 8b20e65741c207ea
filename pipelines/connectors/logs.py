"""Structured logs: one JSON object per line, or coloured text on a terminal. Secrets and addresses are masked on the way out."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.settings import flag, setting

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

CHATTY: Final = ("httpx", "httpcore", "asyncio", "kafka", "uvicorn.error")
"""Libraries whose information is one line per request or connection: only their warnings are written."""

SECRET_KEY: Final = re.compile(r"secret|token|password|authorization|api_?key|cookie", re.IGNORECASE)
"""A field with such a name is never written out."""

MASKS: Final = (
    (re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "<token>"),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s/@]+@"), r"\1***@"),
    (re.compile(r"\b([\w.+-])[\w.+-]*@([\w-]+\.[\w.-]+)"), r"\1***@\2"),
    (re.compile(r"(?<![\w.:-])\+\d{4,12}(\d{2})(?!\d)"), r"+***\1"),
)
"""Tokens, passwords inside URLs, e-mail addresses and phone numbers, wherever they stand in a text."""

Fields = MutableMapping[str, Any]


def masked(text: str) -> str:
    """Return a text with tokens, passwords, e-mail addresses and phone numbers masked."""
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def mask_fields(_logger: object, _method: str, fields: Fields) -> Fields:
    """Mask what a log line must not hold (a structlog processor)."""
    for name, value in fields.items():
        if SECRET_KEY.search(name):
            fields[name] = "***"
        elif isinstance(value, str):
            fields[name] = masked(value)
    return fields


def configure_logging(level: str | None = None, *, pretty: bool | None = None) -> None:
    """Set up logging for this process, once, at its start.

    `level` defaults to LOG_LEVEL (info); `pretty` to LOG_PRETTY, else to whether standard error is a terminal. Lines of libraries that
    use `logging` (uvicorn, redis) come out in the same form.
    """
    name = (level or setting("LOG_LEVEL", "info")).lower()
    if name not in LEVELS:
        message = f"LOG_LEVEL must be one of {', '.join(LEVELS)}, not {name!r}"
        raise Misconfigured(message)
    if pretty is None:
        pretty = flag("LOG_PRETTY", default=sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        mask_fields,
    ]
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[name]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        ),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[name])
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(LEVELS[name], logging.WARNING))
