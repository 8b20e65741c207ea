"""What is known of device models beyond the names they use: roles, ranges, units, and values that mean there is no probe.

The table is keyed by brand and the beginning of the model; the first that fits counts. To add a model, see CONTRIBUTING.
"""

from dataclasses import dataclass, field
from typing import Final

from pipelines.domain.decoders.names import Meaning, Quantity, Role

DS18B20: Final = (-5_500, 12_500)
SHT: Final = (-4_000, 12_500)


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
    power_on_85: bool = False
    """Its external probe is a DS18B20, which holds 85.0 after power-on."""
    history_seconds: bool = True


def _temperature(role: Role, probe: str = "") -> Meaning:
    return Meaning(Quantity.TEMPERATURE, role, probe or role.value)


_DRAGINO_PROBE: Final = {
    "TempC_SHT": _temperature(Role.AMBIENT),
    "TempC_DS": _temperature(Role.EXTERNAL),
    "TempC_TMP117": _temperature(Role.EXTERNAL, "external_tmp117"),
}
_DRAGINO: Final = Model(
    names={
        **_DRAGINO_PROBE,
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
    power_on_85=True,
)

MODELS: Final = (
    ("dragino", "lsn50", _DRAGINO),
    ("dragino", "lds", Model(names={"DOOR_OPEN_STATUS": Meaning(Quantity.DOOR), "BAT_V": Meaning(Quantity.BATTERY, scale="v")})),
    ("dragino", "lwl", Model(names={"DOOR_OPEN_STATUS": None})),
    ("dragino", "", _DRAGINO),
    (
        "milesight",
        "em500-pt100",
        Model(plain=Role.EXTERNAL, battery="percent", ranges={Role.EXTERNAL: (-20_000, 80_000)}),
    ),
    ("milesight", "em3", Model(battery="percent", ranges={Role.AMBIENT: (-4_000, 12_500)}, names={"magnet": Meaning(Quantity.DOOR)})),
    ("milesight", "", Model(battery="percent")),
    ("decentlab", "dl-iam", Model(battery="v")),
    ("decentlab", "dl-pr26", Model(plain=Role.LIQUID, battery="v")),
    ("decentlab", "", Model(plain=Role.EXTERNAL, battery="v")),
    ("elsys", "", Model(battery="mv", ranges={Role.AMBIENT: (-4_000, 8_500), Role.EXTERNAL: DS18B20}, power_on_85=True)),
    ("netvox", "r718e", Model(plain=Role.BOARD, battery="v")),
    ("netvox", "rb11", Model(plain=Role.BOARD, battery="v")),
    ("netvox", "r718b", Model(plain=Role.EXTERNAL, battery="v", ranges={Role.EXTERNAL: (-7_000, 20_000)})),
    ("netvox", "r718c", Model(plain=Role.EXTERNAL, battery="v", ranges={Role.EXTERNAL: (-26_500, 180_000)})),
    ("netvox", "", Model(battery="v")),
    ("browan", "", Model(battery="v", ranges={Role.AMBIENT: (-4_000, 9_500)})),
    ("enless", "", Model(plain=Role.EXTERNAL)),
    ("mclimate", "mc-button", Model(names={"sensorTemperature": _temperature(Role.BOARD)}, battery="v")),
    (
        "mclimate",
        "",
        Model(
            names={"sensorTemperature": _temperature(Role.AMBIENT), "extThermistorTemperature": _temperature(Role.EXTERNAL)},
            battery="v",
        ),
    ),
    *(
        (brand, model, Model(plain=Role.BOARD))
        for brand, model in (
            ("aquascope", ""),
            ("comtac", ""),
            ("dingtek", ""),
            ("digital-matter", ""),
            ("rivercity", ""),
            ("vutility", ""),
            ("sept", ""),
            ("pepperl", ""),
            ("te-connectivity", ""),
            ("noah", ""),
        )
    ),
)
"""Brand, beginning of the model, what is known."""

UNKNOWN: Final = Model(zero_is_missing=frozenset({"TempC_DS18B20", "temp_DS18B20"}))
"""A model of which nothing is known; a probe named after the DS18B20 is one all the same."""


def model_of(brand: str | None, model: str | None) -> Model:
    """Return what is known of a model; UNKNOWN where nothing is."""
    brand_name, model_name = (brand or "").lower(), (model or "").lower()
    for known_brand, beginning, known in MODELS:
        if brand_name.startswith(known_brand) and model_name.startswith(beginning):
            return known
    return UNKNOWN
