"""`coldstream device EUI`: why a device's sensor shows or does not, and what came of its newest uplinks."""

import click

from api.stories import story
from api.story_shapes import StoryAnswer
from infra.commands.operator import desk, run

EUI_DIGITS = 16


@click.command()
@click.argument("eui")
@click.option("--organization", type=click.IntRange(1), default=None, help="Default: each that there is.")
@click.option("--json", "as_json", is_flag=True, help="The answers of the API, one a line.")
def command(eui: str, organization: int | None, as_json: bool) -> None:
    """Say of a device EUI whether it is registered, when it was heard, what became of its uplinks, and what to do."""
    if len(eui) != EUI_DIGITS or not all(digit in "0123456789abcdefABCDEF" for digit in eui):
        message = "a device EUI has 16 hexadecimal digits"
        raise click.UsageError(message)

    async def work() -> None:
        async with desk(organization) as at:
            stories = [await story(at.database, at.scope, number, eui.upper()) for number in at.scope]
        known = [one for one in stories if one.device is not None or one.last_heard_at is not None]
        for one in known or stories[:1]:
            click.echo(one.model_dump_json(by_alias=True) if as_json else told(one))

    run(work)


def told(found: StoryAnswer) -> str:
    """Return a story as lines for people."""
    lines = [
        f"{found.dev_eui} in organization {found.organization}: {found.verdict.sentence}",
        f"  to do: {found.verdict.what_to_do}",
        f"  registered: {'no' if found.device is None else 'yes'}; last heard: {found.last_heard_at or 'never'}",
    ]
    for sensor in found.sensors:
        unit = next((one.unit_name for one in sensor.assignments if one.end is None), "no unit")
        policy = "no policy" if sensor.policy is None else f"policy {sensor.policy.name} v{sensor.policy.version}"
        lines.append(f"  sensor {sensor.sensor} (probe {sensor.probe}): {unit}, {policy}, {sensor.state.value}")
    for end in found.ends:
        since = "" if end.since is None else f" since {end.since:%Y-%m-%d %H:%M}"
        reason = "" if end.reason is None else f" ({end.reason})"
        lines.append(f"  {end.uplinks} {end.ended_as}{reason}{since}, the newest at {end.last_at:%Y-%m-%d %H:%M:%S}")
    for entry in found.recent[:10]:
        replayed = "" if entry.replay is None else f" (replayed: {entry.replay.outcome or 'under way'})"
        lines.append(f"    {entry.received_at:%Y-%m-%d %H:%M:%S}  {entry.ended_as:<10} {entry.sentence}{replayed}")
    return "\n".join(lines)
