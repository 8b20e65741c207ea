"""How things of the registry are named: device EUIs, names for people, kinds of unit, time zones, probes, models, applications.

Each function returns what is stored, or raises Refused with a sentence that says what to write instead.
"""

import re
import unicodedata
import zoneinfo
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final

from pipelines.domain.registration.refusals import Refused

MAX_NAME: Final = 200
MAX_COMMENT: Final = 500
MAX_HINTED: Final = 60
"""Characters: what is longer is no misspelt name, and comparing it takes long."""
EUI_DIGITS: Final = 16
NOT_TEXT: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
"""Unicode's categories of control characters, halves of pairs, private ones, and ends of lines."""
HEAD_PROBE: Final = "main"
"""The probe that stands for the device: its best-ranked one."""

_SEPARATORS: Final = re.compile(r"[\s:.\-]+")
_SPREADSHEET: Final = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
_PROBE: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_APPLICATION: Final = re.compile(r"[a-z0-9](?:[-]?[a-z0-9]){1,35}")


class UnitKind(StrEnum):
    """What a unit is."""

    REFRIGERATOR = "refrigerator"
    FREEZER = "freezer"
    COLD_ROOM = "cold_room"
    SHIPMENT = "shipment"


def device_eui(text: str, field: str = "dev_eui") -> str:
    """Return an EUI as 16 upper-case hexadecimal digits; lower case and the separators - : . and blank are taken."""
    digits = _SEPARATORS.sub("", text).upper().removeprefix("0X")
    if not digits:
        raise Refused(field, "is required: the 16 hexadecimal digits printed on the device")
    if _SPREADSHEET.fullmatch(text.strip()):
        raise Refused(field, "was turned into a number by a spreadsheet: make the column text and paste the EUI again")
    wrong = sorted(set(digits) - set("0123456789ABCDEF"))
    if wrong:
        raise Refused(field, f"has {wrong[0]!r} in it: only 0-9 and A-F, with or without - or : between them")
    if len(digits) != EUI_DIGITS:
        raise Refused(field, f"has {len(digits)} hexadecimal digits instead of {EUI_DIGITS}")
    if len(set(digits)) == 1:
        raise Refused(field, "is a placeholder, not a device's EUI")
    return digits


def display_name(text: str, field: str = "name", *, required: bool = True) -> str:
    """Return a name of at most 200 characters in one line, without blanks around it."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name and required:
        raise Refused(field, "must not be empty")
    if len(name) > MAX_NAME:
        raise Refused(field, f"must have at most {MAX_NAME} characters")
    if not name.isprintable() and any(unicodedata.category(letter) in NOT_TEXT for letter in name):
        raise Refused(field, "must be one line of plain text")
    return name


def comment(text: str) -> str:
    """Return a comment of at most 500 characters."""
    if len(text) > MAX_COMMENT:
        raise Refused("comment", f"must have at most {MAX_COMMENT} characters")
    if "\0" in text:
        raise Refused("comment", "must be plain text")
    return text.strip()


def required_comment(text: str) -> str:
    """Return the comment of a change that must say why it is made."""
    why = comment(text)
    if not why:
        raise Refused("comment", "is required: say why, for whoever reads the record later")
    return why


def unit_kind(text: str, field: str = "kind", *, hint: bool = True) -> UnitKind:
    """Return the kind of unit a text names; case, blanks and - do not matter. `hint`: say which one may have been meant."""
    wanted = re.sub(r"[\s-]+", "_", text.strip().lower())
    for kind in UnitKind:
        if wanted == kind.value:
            return kind
    near = _near(wanted, tuple(UnitKind)) if hint else ""
    raise Refused(field, f"must be one of {', '.join(UnitKind)}{near}")


def time_zone(text: str, field: str = "time_zone", *, hint: bool = True) -> str:
    """Return an IANA time zone as the database of time zones writes it. `hint`: say which one may have been meant, which takes 10 ms."""
    wanted = text.strip()
    zones = _zones()
    found = zones.get(wanted.lower().replace(" ", "_"))
    if found is None:
        near = _near(wanted, tuple(zones.values())) if hint else ""
        raise Refused(field, f"must be an IANA name such as Europe/Berlin{near}")
    return found


def probe_name(text: str, field: str = "probe") -> str:
    """Return the name of a probe as decoders write it; empty is the device's best-ranked one."""
    name = text.strip().lower() or HEAD_PROBE
    if not _PROBE.fullmatch(name):
        raise Refused(field, "must be main, or a probe's name as `coldstream decode` shows it, such as external or ambient")
    return name


def model_name(text: str, field: str) -> str:
    """Return a brand's or model's id as The Things Stack writes it; empty where it is not known."""
    name = text.strip()
    if name and not _MODEL.fullmatch(name):
        raise Refused(field, "must be an id as in The Things Stack's device repository, such as dragino or lht65")
    return name


def application_id(text: str, field: str = "application") -> str:
    """Return an application's id as The Things Stack takes it."""
    name = text.strip()
    if not _APPLICATION.fullmatch(name):
        raise Refused(field, "must be the application's id in The Things Stack: 2 to 36 of a-z, 0-9 and single - in between")
    return name


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}


@lru_cache(maxsize=1_000)
def _near(wanted: str, known: tuple[str, ...]) -> str:
    if len(wanted) > MAX_HINTED:
        return ""
    close = get_close_matches(wanted, known, n=1, cutoff=0.7)
    return f" (did you mean {close[0]}?)" if close else ""
