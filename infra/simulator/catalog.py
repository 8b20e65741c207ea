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
    LHT52 = "lht52"
    LSN50_D20 = "lsn50v2-d20"
    LDS02 = "lds02"
    EM300_TH = "em300-th"
    EM300_MCS = "em300-mcs"
    EM320_TH = "em320-th"
    EM500_PT100 = "em500-pt100"
    WS301 = "ws301"
    DL_DS18 = "dl-ds18"
    ELT_2 = "elt-2"
    ERS = "ers"
    R718B = "r718b"
    R718CK = "r718ck"
    R720B = "r720b"
    TBHH100 = "tbhh100"
    OY1110 = "oy1110"
    T00078XX = "t00078xx"
    HT_SENSOR = "ht-sensor"
    SENSECAP_S2101 = "sensecaps2101-air-temp-and-humidity"
    CAYENNE = "cayenne"
    """What people build themselves with CayenneLPP."""
    TX_TEMP_CONT1 = "tx-temp-cont1-600-032"
    RS1XX_RTD = "rs1xx-ext-temp-rtd-sensor"
    REMOTE_T = "remote-t-sensor"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model."""

    brand_id: str
    eui: str
    """The first three bytes of its EUIs, as its maker gives them out."""
    interval: int
    """How often it sends when nobody has changed that, in ms."""
    firmware: str = "1.0"
    hardware: str = "1.0"
    sees_door: bool = False
    """It is a door sensor: no temperature comes of it."""
    feels_door: bool = False
    """It tells of the door beside a temperature."""
    feels_room: bool = False
    """It measures the air around the unit as well."""


DRAGINO, MILESIGHT, ELSYS, NETVOX = "A84041", "24E124", "A81758", "00137A"
UNKNOWN = "_unknown_hw_version_"

FACTS: Final = {
    Model.LHT65: Facts("dragino", DRAGINO, 20 * MINUTE, "1.8", UNKNOWN),
    Model.LHT52: Facts("dragino", DRAGINO, 20 * MINUTE, "1.0", UNKNOWN),
    Model.LSN50_D20: Facts("dragino", DRAGINO, 10 * MINUTE, "1.7", UNKNOWN),
    Model.LDS02: Facts("dragino", DRAGINO, 60 * MINUTE, "1.6", UNKNOWN, sees_door=True),
    Model.EM300_TH: Facts("milesight-iot", MILESIGHT, 10 * MINUTE, "1.2", "2.0"),
    Model.EM300_MCS: Facts("milesight-iot", MILESIGHT, 10 * MINUTE, "1.2", "2.0", feels_door=True),
    Model.EM320_TH: Facts("milesight-iot", MILESIGHT, 10 * MINUTE),
    Model.EM500_PT100: Facts("milesight-iot", MILESIGHT, 10 * MINUTE),
    Model.WS301: Facts("milesight-iot", MILESIGHT, 60 * MINUTE, sees_door=True),
    Model.DL_DS18: Facts("decentlab", "70B3D5", 10 * MINUTE, "2.0"),
    Model.ELT_2: Facts("elsys", ELSYS, 10 * MINUTE, feels_room=True),
    Model.ERS: Facts("elsys", ELSYS, 10 * MINUTE),
    Model.R718B: Facts("netvox", NETVOX, 15 * MINUTE),
    Model.R718CK: Facts("netvox", NETVOX, 15 * MINUTE),
    Model.R720B: Facts("netvox", NETVOX, 15 * MINUTE),
    Model.TBHH100: Facts("browan", "E8E1E1", 30 * MINUTE),
    Model.OY1110: Facts("talkpool", "0080E1", 15 * MINUTE),
    Model.T00078XX: Facts("tektelic", "647FDA", 30 * MINUTE),
    Model.HT_SENSOR: Facts("mclimate", "70B3D5", 10 * MINUTE),
    Model.SENSECAP_S2101: Facts("sensecap", "2CF7F1", 60 * MINUTE),
    Model.CAYENNE: Facts("", "70B3D5", 5 * MINUTE),
    Model.TX_TEMP_CONT1: Facts("enless-wireless", "70B3D5", 15 * MINUTE),
    Model.RS1XX_RTD: Facts("laird", "C0EE40", 10 * MINUTE),
    Model.REMOTE_T: Facts("nke-watteco", "70B3D5", 10 * MINUTE),
}
