"""Reads the environment once per process. A setting NAME may also stand in a file that NAME_FILE names (secret files)."""

import os
from pathlib import Path

from pipelines.connectors.errors import Misconfigured


def setting(name: str, default: str | None = None) -> str:
    """Return a setting; raises Misconfigured when it is missing and has no default."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            message = f"{name}_FILE names {file}, which cannot be read: {error.strerror}"
            raise Misconfigured(message) from error
    value = os.environ.get(name, default)
    if value is None or (value == "" and default is None):
        message = f"{name} is not set"
        raise Misconfigured(message)
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no setting; raises Misconfigured on anything else."""
    value = setting(name, "true" if default else "false").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    message = f"{name} must be true or false, not {value!r}"
    raise Misconfigured(message)


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole-number setting within bounds; raises Misconfigured otherwise."""
    text = setting(name, str(default))
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        message = f"{name} must be a whole number from {least} to {most}, not {text!r}"
        raise Misconfigured(message)
    return value
