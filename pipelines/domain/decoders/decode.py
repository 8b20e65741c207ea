"""What a temperature monitor takes from a message: readings by probe, humidity, battery, door; faults with their reason.

It puts the parts together: `leaves` flattens, `names` and `models` say what each is, `probes` and `beside` judge.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from pipelines.domain.decoders.beside import Beside, beside_of
from pipelines.domain.decoders.flags import distrusts_of
from pipelines.domain.decoders.leaves import Leaf, leaves
from pipelines.domain.decoders.message import MessageKind, Rejection, TtnMessage
from pipelines.domain.decoders.models import FALLBACK, Model, model_of, normalized_model_of
from pipelines.domain.decoders.names import Meaning, Quantity, Role, meaning_of, unit_scale, words_of
from pipelines.domain.decoders.numbers import quick_hundredths
from pipelines.domain.decoders.probes import Context, Probe, carrier_of, headline_of, main_of, probes_of, with_absent_probe
from pipelines.domain.decoders.readings import Decoded, ProbeReading
from pipelines.domain.decoders.shapes import SHORT, Named, Shapes
from pipelines.domain.decoders.vocabulary import TEMPERATURE
from pipelines.domain.temperatures import HIGHEST_POSSIBLE, LOWEST_POSSIBLE
from schemas.reasons import RejectReason

__all__ = ["MAIN", "Decoded", "ProbeReading", "decode"]

MAIN: Final = "main"
"""Probe of a row that stands beside no temperature."""

_SHAPES: Final = Shapes()
"""A memory only: with and without it a message comes to the same."""
PLAIN: Final = Meaning(Quantity.TEMPERATURE, Role.AMBIENT, Role.AMBIENT.value, is_plain=True)
MAINS: Final = frozenset({"current", "power", "energy", "frequency", "phase"})
"""Words of what is measured together with a mains voltage."""
_UNIT_NAMES: Final = TEMPERATURE | {"unit", "units", "scale"}


def decode(message: TtnMessage) -> Decoded:
    """Return what is taken from a message. Never raises; a message without a time is read as of time 0."""
    match message.kind:
        case MessageKind.UPLINK_MESSAGE:
            return _of_uplink(message)
        case MessageKind.UPLINK_NORMALIZED:
            return _of_normalized(message)
        case _:
            return _nothing(message, f"a {message.kind.value} carries no reading")


def _of_uplink(message: TtnMessage) -> Decoded:
    payload = message.decoded_payload
    if not isinstance(payload, dict) or not payload:
        return _of_normalized(message) if message.normalized_payloads else _undecoded(message)

    def meanings(found: list[Leaf]) -> tuple[Named, Context]:
        model = model_of(message.brand, message.model, message.firmware, payload)
        return _named(found, model), _context(found, model, payload)

    known = _SHAPES.known((message.brand, message.model, message.firmware), payload, meanings)
    if known is not None and (known.has_temperature or not message.normalized_payloads):
        plain = None if known.plan is None else known.plan.decoded(message.kind, message.measured_at or 0, payload)
        return plain or _from_named(message, known.filled(payload), known.context)
    found = leaves(payload)
    named, context = meanings(found)
    if message.normalized_payloads and not any(meaning.quantity is Quantity.TEMPERATURE for _, meaning in named):
        # The decoder's own names say nothing to us; its normalizer may know better.
        found += _normalized_leaves(message)
        named, context = meanings(found)
    return _from_named(message, named, context, found)


def _of_normalized(message: TtnMessage) -> Decoded:
    model = normalized_model_of(message.brand, message.model, message.firmware)
    found = _normalized_leaves(message)
    return _from_named(message, _named(found, model), _context(found, model, {}), found)


def _normalized_leaves(message: TtnMessage) -> list[Leaf]:
    """Return the leaves of normalized payloads: those without a time are one, those with one are a list by time."""
    payloads = [payload for payload in message.normalized_payloads if isinstance(payload, dict)]
    merged: dict[str, object] = {}
    for payload in payloads:
        if "time" not in payload:
            merged |= payload
    return leaves(merged) + leaves([payload for payload in payloads if "time" in payload])


def _undecoded(message: TtnMessage) -> Decoded:
    if message.frm_payload and message.f_port:
        detail = "the device sent a payload, and the network server's payload formatter made nothing of it: check the device's model there"
        return Decoded(message.kind, rejection=Rejection(RejectReason.DECODER_FAILED, detail))
    return _nothing(message, "no payload: network housekeeping only")


def _nothing(message: TtnMessage, detail: str, decoder: str = "") -> Decoded:
    return Decoded(message.kind, rejection=Rejection(RejectReason.NO_READING, detail), decoder=decoder)


def _from_named(message: TtnMessage, named: Named, context: Context, found: Sequence[Leaf] = ()) -> Decoded:
    measured_at = message.measured_at or 0
    current, past = _parted(named)
    probes = probes_of(_temperatures(current), context, measured_at)
    beside = beside_of(current, context)
    history, newest = _history(past, context) if past else ([], None)
    if probes:
        probes = with_absent_probe(probes, context, measured_at)
    if not probes and not beside.has_any and not history:
        return _nothing(message, _why_nothing(found, past, context.model), context.model.decoder)
    return _assembled(message.kind, measured_at, context.model, probes, beside, history, newest)


def _why_nothing(found: Sequence[Leaf], past: Named, model: Model) -> str:
    """Return for people why a payload came to nothing; a remembered shape has no list, and so no leaves to look at."""
    if past:
        return "only values from the device's memory that have no time"
    if any(not leaf.is_certain and meaning_of(leaf.path, leaf.unit) is not None for leaf in found):
        return "several values that nothing tells apart"
    unknown = "; the model is not known here, so the fallback judged its names" if model.decoder == FALLBACK else ""
    return f"nothing in the payload is a temperature, humidity, battery or door{unknown}"


def _context(found: list[Leaf], model: Model, payload: dict[str, object]) -> Context:
    default_scale = ""
    for leaf in found:
        if type(leaf.value) is str and leaf.path:
            words = words_of(leaf.path[-1])
            if words and words[-1] in ("unit", "units", "scale") and _UNIT_NAMES.issuperset(words) and unit_scale(leaf.value) in ("f", "k"):
                default_scale = unit_scale(leaf.value) or ""
    says_unplugged = payload.get("thermistorProperlyConnected") is False or payload.get("No_connect") in (True, "Sensor no connection")
    has_external = says_unplugged or payload.get("Ext_sensor") == "Temperature Sensor"
    return Context(model, distrusts_of(found), default_scale, says_unplugged, has_external)


def _named(found: list[Leaf], model: Model) -> Named:
    """Return what is known by its names; of several things that nothing tells apart, none is."""
    named: Named = []
    met = {name for name, (beside, value) in model.needs.items() if any(leaf.name == beside and leaf.value == value for leaf in found)}
    for leaf in found:
        if leaf.is_certain:
            own = leaf.name
            meaning = _meaning(leaf, own, model, met)
            if meaning is None:
                if own in SHORT and _is_short_temperature(leaf, found):
                    named.append((leaf, PLAIN))
            elif not (meaning.is_plain and meaning.quantity is Quantity.BATTERY and _is_of_mains(found)):
                named.append((leaf, meaning))
    return named


def _is_short_temperature(leaf: Leaf, found: list[Leaf]) -> bool:
    """Return whether a bare `t` is a temperature: humidity stands beside it, and it is no time."""
    number = quick_hundredths(leaf.value)
    if number is None or not LOWEST_POSSIBLE <= number <= HIGHEST_POSSIBLE:
        return False
    return any(other.path[:-1] == leaf.path[:-1] and other.name.lower() in ("rh", "h", "hum", "humidity") for other in found)


def _is_of_mains(found: list[Leaf]) -> bool:
    """Return whether the device measures electricity, so that a bare `voltage` is what it measures."""
    return any(not MAINS.isdisjoint(words_of(leaf.name)) for leaf in found)


def _meaning(leaf: Leaf, own: str, model: Model, needed: set[str]) -> Meaning | None:
    if isinstance(leaf.value, bool):
        meaning = meaning_of(leaf.path, leaf.unit)
        return meaning if meaning is not None and meaning.quantity is Quantity.DOOR else None
    if own in model.names and (own not in model.needs or own in needed):
        return model.names[own]
    meaning = meaning_of(leaf.path, leaf.unit)
    if meaning is None or meaning.quantity is not Quantity.TEMPERATURE:
        return meaning
    if meaning.is_plain and model.plain is not Role.AMBIENT and not leaf.place:
        return Meaning(Quantity.TEMPERATURE, model.plain, model.plain.value, meaning.scale)
    if model.plain is Role.BOARD and meaning.role is Role.AMBIENT and meaning.probe != Role.AMBIENT.value:
        return Meaning(Quantity.TEMPERATURE, Role.BOARD, Role.BOARD.value, meaning.scale)
    if leaf.place:
        role = Role.CHANNEL if meaning.role is Role.AMBIENT else meaning.role
        probe = "channel" if role is Role.CHANNEL and meaning.probe == Role.AMBIENT.value else meaning.probe
        return Meaning(Quantity.TEMPERATURE, role, f"{probe}_{leaf.place}", meaning.scale)
    return meaning


def _temperatures(named: Named) -> Named:
    return [(leaf, meaning) for leaf, meaning in named if meaning.quantity is Quantity.TEMPERATURE]


def _parted(named: Named) -> tuple[Named, Named]:
    """Return what is now and what is past. Of a list of dated objects the newest of each kind is now, the others are past."""
    for leaf, _ in named:
        if leaf.at is not None or leaf.is_history:
            break
    else:
        return named, []
    newest: dict[tuple[Quantity, str], int] = {}
    for leaf, meaning in named:
        if not leaf.is_history and leaf.at is not None:
            key = (meaning.quantity, meaning.probe)
            newest[key] = max(newest.get(key, leaf.at), leaf.at)
    current: Named = []
    past: Named = []
    for leaf, meaning in named:
        is_now = not leaf.is_history and (leaf.at is None or leaf.at == newest[meaning.quantity, meaning.probe])
        (current if is_now else past).append((leaf, meaning))
    return current, past


def _history(past: Named, context: Context) -> tuple[list[ProbeReading], ProbeReading | None]:
    """Return readings at the device's own time, and the main one of the newest time. Without a time they have no place."""
    entries: dict[int, Named] = defaultdict(list)
    for leaf, meaning in past:
        if leaf.at is not None:
            entries[leaf.at].append((leaf, meaning))
    readings: list[ProbeReading] = []
    newest: tuple[int, list[Probe]] = (-1, [])
    for at, named in entries.items():
        probes = probes_of(_temperatures(named), context, at)
        found = [replace(probe.reading, history=True) for probe in probes]
        beside = beside_of(named, context)
        if found and beside.has_any:
            found[0] = beside.on(found[0])
        readings += found
        newest = max(newest, (at, probes), key=lambda entry: entry[0])
    return readings, main_of(newest[1], context.model)


def _assembled(
    kind: MessageKind,
    measured_at: int,
    model: Model,
    probes: list[Probe],
    beside: Beside,
    history: list[ProbeReading],
    newest: ProbeReading | None,
) -> Decoded:
    main = main_of(probes, model)
    headline = headline_of(probes, main)
    readings = [probe.reading for probe in probes]
    if beside.has_any:
        carrier = carrier_of(readings, main, headline, model)
        if carrier is None:
            readings.append(beside.on(ProbeReading(MAIN, measured_at)))
        else:
            carried = beside.on(carrier)
            readings = [carried if reading is carrier else reading for reading in readings]
            main, headline = (carried if main is carrier else main), (carried if headline is carrier else headline)
    if not probes and newest is not None:
        main = replace(newest, history=True)
    return Decoded(kind, tuple(readings + history), headline, main, None, model.decoder)
