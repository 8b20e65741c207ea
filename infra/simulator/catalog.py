"""Device models a fleet can be made of: what the device repository calls them and how they behave. Pure data.

Their frames are in `makers`; `payloads` says which frame is whose.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MINUTE: Final = 60_000


class Model(StrEnum):
    """Device models; the value is the model's id in the device repository."""

    LHT65 = "lht65"
    EM300_TH = "em300-th"
    EM320_TH = "em320-th"
    DL_DS18 = "dl-ds18"
    ELT_2 = "elt-2"
    LDS02 = "lds02"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model."""

    brand_id: str
    firmware: str
    eui: str
    """The first three bytes of the EUIs its maker gives out."""
    interval: int
    """How often it sends when nobody has changed that, in ms."""
    hardware: str = "1.0"
    sees_door: bool = False
    feels_room: bool = False
    """It measures the air around the unit as well."""
    keeps_log: bool = False
    """It remembers what no gateway heard and sends it later."""


DRAGINO, MILESIGHT = "_unknown_hw_version_", "24E124"

FACTS: Final = {
    Model.LHT65: Facts("dragino", "1.8", "A84041", 20 * MINUTE, hardware=DRAGINO),
    Model.EM300_TH: Facts("milesight-iot", "1.2", MILESIGHT, 10 * MINUTE, hardware="2.0", keeps_log=True),
    Model.EM320_TH: Facts("milesight-iot", "1.0", MILESIGHT, 10 * MINUTE, keeps_log=True),
    Model.DL_DS18: Facts("decentlab", "2.0", "70B3D5", 10 * MINUTE),
    Model.ELT_2: Facts("elsys", "1.0", "A81758", 10 * MINUTE, feels_room=True),
    Model.LDS02: Facts("dragino", "1.6", "A84041", 60 * MINUTE, hardware=DRAGINO, sees_door=True),
}
