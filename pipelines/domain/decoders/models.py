"""What is known of device models beyond the names they use: roles, ranges, units, and values that mean there is no probe.

The table is keyed by the beginnings of brand, model and firmware version. To add a model, see CONTRIBUTING.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from pipelines.domain.decoders.names import PRIMARY, Meaning, Quantity, Role

FALLBACK: Final = "fallback"
"""Decoder of a model of which nothing is known: names, units and values alone decide, carefully."""
NORMALIZED: Final = "normalized"
"""Decoder of what came by The Things Stack's schema of normalized payloads."""

DS18B20: Final = (-5_500, 12_500)
SHT: Final = (-4_000, 12_500)
DIGITAL: Final = (-4_000, 8_500)
"""What most built-in digital sensors are made for."""
INDOOR: Final = (-2_000, 7_000)
WIRED: Final = frozenset({Role.EXTERNAL, Role.CHANNEL})


@dataclass(frozen=True, slots=True)
class Model:
    """One model, or a family of them; temperatures in hundredths."""

    plain: Role = Role.AMBIENT
    """Role of a temperature that is called nothing but that."""
    names: dict[str, Meaning | None] = field(default_factory=dict)
    """Leaves whose names mislead, by the whole name; None is nothing of ours."""
    ranges: dict[Role, tuple[int, int]] = field(default_factory=dict)
    battery: str = ""
    """Scale of a battery value that does not say."""
    zero_is_missing: frozenset[str] = frozenset()
    """Names of probes whose 0 says that none is fitted."""
    power_on_85: frozenset[Role] = frozenset()
    """Roles of probes that are a DS18B20, which holds 85.0 after power-on."""
    all_ones_is_missing: bool = False
    """-0.1 on a channel is 0xFFFF, no probe; a real -0.1 cannot be told from it."""
    is_wired: bool = False
    """Sold for its wired probe: an uplink without it is not one of the built-in sensor."""
    needs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """A name of `names` that means something only beside another name with this value."""
    decoder: str = FALLBACK
    """What `coldstream decode` shows as the decoder: the line of the table, as brand/model."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table: the beginnings of a brand, a model and a firmware version, and what is known of them."""

    brand: str
    model: str
    known: Model
    firmware: str = ""

    @property
    def decoder(self) -> str:
        """Return the line's name, with `*` for what any model may end in."""
        return f"{self.brand}/{self.model}*{self.firmware and '@' + self.firmware + '*'}"


def _temperature(role: Role, probe: str = "") -> Meaning:
    return Meaning(Quantity.TEMPERATURE, role, probe or role.value)


_DRAGINO: Final = Model(
    names={
        "TempC_SHT": _temperature(Role.AMBIENT),
        "TempC_DS": _temperature(Role.EXTERNAL),
        "TempC_TMP117": _temperature(Role.EXTERNAL, "external_tmp117"),
        "TempC_DS18B20": _temperature(Role.EXTERNAL),
        "temp_DS18B20": _temperature(Role.EXTERNAL),
        "Door_status": None,
        "Bat_status": None,
        "Hum_SHT": Meaning(Quantity.HUMIDITY),
        "temp_SOIL": _temperature(Role.SOIL),
        "TEMP_SOIL": _temperature(Role.SOIL),
    },
    ranges={Role.EXTERNAL: DS18B20, Role.CHANNEL: DS18B20, Role.AMBIENT: SHT},
    battery="v",
    zero_is_missing=frozenset({"TempC_DS18B20", "temp_DS18B20", "TempC1", "TempC2", "TempC3", "Temp_Red", "Temp_Black", "Temp_White"}),
    power_on_85=WIRED,
    all_ones_is_missing=True,
)
_DRAGINO_MARKS: Final = frozenset({"TempC_DS", "TempC_SHT", "TempC_DS18B20", "temp_DS18B20", "TempC1", "Temp_White", "EXTI_Trigger"})
"""Names by which a Dragino payload is known also where nobody registered the model."""
_DRAGINO_BY_NAMES: Final = replace(_DRAGINO, decoder="dragino, by the names of its fields")
_LTC2: Final = Model(
    ranges={Role.CHANNEL: (-10_000, 15_000)},
    battery="v",
)
_LAIRD: Final[dict[str, Meaning | None]] = {"state": Meaning(Quantity.DOOR)}
_DOOR_SENSOR: Final = {"state": ("operatingMode", "Door Sensor")}
_BOARDS: Final = (
    "aquascope",
    "comtac",
    "dingtek",
    "digital-matter",
    "vutility",
    "sept",
    "pepperl",
    "te-connectivity",
    "noah",
    "abeeway",
    "tekzitel",
    "pf",
    "nwave",
    "vega",
)
"""Brands of trackers, meters, level and smoke sensors, whose temperature is their own."""

MODELS: Final = (
    Entry("dragino", "lsn50", _DRAGINO),
    Entry("dragino", "lds", Model(names={"DOOR_OPEN_STATUS": Meaning(Quantity.DOOR), "BAT_V": Meaning(Quantity.BATTERY, scale="v")})),
    Entry("dragino", "lwl", Model(names={"DOOR_OPEN_STATUS": None})),
    Entry("dragino", "ltc2", _LTC2),
    Entry("dragino", "", _DRAGINO),
    Entry("milesight", "em500-pt100", Model(plain=Role.EXTERNAL, battery="percent", ranges={Role.EXTERNAL: (-20_000, 80_000)})),
    Entry("milesight", "at101", Model(plain=Role.BOARD, battery="percent")),
    Entry("milesight", "ts", Model(plain=Role.EXTERNAL, battery="percent")),
    Entry("milesight", "em500-smtc", Model(battery="percent", ranges={Role.AMBIENT: (-4_000, 8_500)})),
    Entry("milesight", "em300", Model(battery="percent", ranges={Role.AMBIENT: (-3_000, 7_000)}, names={"magnet": Meaning(Quantity.DOOR)})),
    Entry("milesight", "em3", Model(battery="percent", ranges={Role.AMBIENT: (-4_000, 12_500)}, names={"magnet": Meaning(Quantity.DOOR)})),
    Entry("milesight", "am", Model(battery="percent", ranges={Role.AMBIENT: INDOOR})),
    Entry("milesight", "", Model(battery="percent")),
    Entry("decentlab", "dl-iam", Model(battery="v")),
    Entry("decentlab", "dl-pr26", Model(plain=Role.LIQUID, battery="v")),
    Entry("decentlab", "dl-ds18", Model(plain=Role.EXTERNAL, battery="v", ranges={Role.EXTERNAL: DS18B20}, power_on_85=WIRED)),
    Entry("decentlab", "", Model(plain=Role.EXTERNAL, battery="v", ranges={Role.AMBIENT: SHT})),
    Entry(
        "elsys",
        "elt",
        Model(battery="mv", ranges={Role.AMBIENT: (-4_000, 8_500), Role.EXTERNAL: DS18B20}, power_on_85=WIRED, is_wired=True),
    ),
    Entry("elsys", "", Model(battery="mv", ranges={Role.AMBIENT: (-4_000, 8_500), Role.EXTERNAL: DS18B20}, power_on_85=WIRED)),
    Entry("dingtek", "dt31", Model(battery="v")),
    Entry("rivercity", "lynx", Model(plain=Role.BOARD)),
    Entry("twtg", "neon-vb", Model(plain=Role.BOARD)),
    Entry("bosch", "tps", Model(plain=Role.BOARD)),
    Entry("stmicroelectronics", "nucleo", Model(plain=Role.BOARD)),
    Entry("tektelic", "t0006129", Model(plain=Role.BOARD)),
    Entry("netvox", "rp02", Model(plain=Role.BOARD, names={"Voltage": None})),
    Entry("netvox", "r718x", Model(plain=Role.BOARD, battery="v")),
    Entry("netvox", "r718e", Model(plain=Role.BOARD, battery="v")),
    Entry("netvox", "rb11", Model(plain=Role.BOARD, battery="v")),
    Entry("netvox", "r718b", Model(plain=Role.EXTERNAL, battery="v", ranges={Role.EXTERNAL: (-7_000, 20_000)})),
    Entry("netvox", "r718c", Model(plain=Role.EXTERNAL, battery="v", ranges={Role.EXTERNAL: (-26_500, 180_000)})),
    Entry("netvox", "", Model(battery="v")),
    Entry("browan", "tbdw", Model(battery="v", names={"status": Meaning(Quantity.DOOR)})),
    Entry("browan", "", Model(battery="v", ranges={Role.AMBIENT: (-4_000, 9_500)})),
    Entry("enless", "", Model(plain=Role.EXTERNAL)),
    Entry(
        "laird",
        "rs1xx-ext-temp-rtd",
        Model(plain=Role.EXTERNAL, ranges={Role.EXTERNAL: (-20_000, 60_000)}, names=_LAIRD, needs=_DOOR_SENSOR),
    ),
    Entry("laird", "", Model(ranges={Role.AMBIENT: (-4_000, 8_500)}, names=_LAIRD, needs=_DOOR_SENSOR)),
    Entry("mclimate", "mc-button", Model(names={"sensorTemperature": _temperature(Role.BOARD)}, battery="v")),
    Entry("mclimate", "open-close", Model(plain=Role.EXTERNAL, battery="v")),
    Entry(
        "mclimate",
        "",
        Model(
            names={"sensorTemperature": _temperature(Role.AMBIENT), "extThermistorTemperature": _temperature(Role.EXTERNAL)},
            battery="v",
        ),
    ),
    *(Entry(brand, "", Model(ranges={Role.AMBIENT: SHT})) for brand in ("nke", "watteco", "tektelic")),
    *(Entry(brand, "", Model(ranges={Role.AMBIENT: DIGITAL})) for brand in ("sensecap", "seeed", "talkpool")),
    *(Entry(brand, "", Model(plain=Role.BOARD)) for brand in _BOARDS),
)
"""The first line that fits counts; a line with a firmware version stands before those without."""

UNKNOWN: Final = Model(zero_is_missing=frozenset({"TempC_DS18B20", "temp_DS18B20"}), power_on_85=PRIMARY)
"""A model of which nothing is known; any probe may be a DS18B20, the commonest, so its power-on value is not believed."""


def model_of(brand: str | None, model: str | None, firmware: str | None = None, payload: Iterable[str] = ()) -> Model:
    """Return what is known of a model; UNKNOWN where nothing is, unless the names in its payload give it away."""
    known = _registered(brand or "", model or "", firmware or "")
    return _DRAGINO_BY_NAMES if known is UNKNOWN and not _DRAGINO_MARKS.isdisjoint(payload) else known


@lru_cache(maxsize=1_024)
def normalized_model_of(brand: str | None, model: str | None, firmware: str | None = None) -> Model:
    """Return what is known of a model whose values come by the schema of normalized payloads: its ranges alone.

    `battery` is volts by the schema; some normalizers put percent there, so the value must tell.
    """
    return Model(ranges=_registered(brand or "", model or "", firmware or "").ranges, decoder=NORMALIZED)


@lru_cache(maxsize=1_024)
def _registered(brand: str, model: str, firmware: str) -> Model:
    names = (brand.lower(), model.lower(), firmware.lower())
    for entry in MODELS:
        if all(name.startswith(known) for name, known in zip(names, (entry.brand, entry.model, entry.firmware), strict=True)):
            return replace(entry.known, decoder=entry.decoder)
    return UNKNOWN
