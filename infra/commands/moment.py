"""An instant as an option of a command: ISO 8601 in, UTC with milliseconds out. It reads no clock."""

from typing import Any

import click

from pipelines.domain.instants import UnreadableInstant, format_instant, parse_instant


class Moment(click.ParamType[str]):
    """An instant, as ISO 8601."""

    name = "ISO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it as UTC with milliseconds."""
        try:
            return format_instant(parse_instant(value))
        except (UnreadableInstant, OverflowError):
            self.fail(f"{value!r} is no time: write it as 2026-11-25T04:22:00Z; without a zone it is UTC", param, ctx)
