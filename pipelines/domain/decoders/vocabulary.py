"""The words that field names are made of, by what they say. Words only: what follows from them is decided in `names`."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEMPERATURE: Final = _words(
    "temp tem temperature temperatures tempera temps tempc tempf degc celsius temperatur temperatura temperatuur tmp"
)
HUMIDITY: Final = _words(
    "hum humi humid humidity rh rhum hygro hygrometry hygrometrie relativehumidity humedad humidite luftfeuchtigkeit feuchte luchtvochtigheid"
)
BATTERY: Final = _words("bat batt battery batv vbat vbatt vdd batteryvoltage batterylevel accu akku batterie bateria")
NO_BATTERY: Final = _words(
    "good end charging charged discharging current energy used consumption impedance balance ticks days day hours hour dys minutes mah "
    "cover count cycles cycle health removed replaced reset full flat configuration management semesters reports tick",
)
"""Words of what is said about a battery that is neither its voltage nor how full it is."""

NO_READING: Final = _words(
    "threshold thresholds limit limits alarm alert alarms alerts change changed delta offset calibration calibrated set setpoint setpoints "
    "target type status state flag flags enable enabled interval dew dewpoint heat heatindex index feels count counter times time timestamp "
    "min max minimum maximum mean average avg median std stddev sigma variance err error errors report high low hysteresis config mode unit "
    "units trigger event events lower upper desired required wanted programmed valve pwm correction wet wetbulb bulb chill windchill humidex "
    "apparent virtual potential raw adc resistance resistor rate slope trend gradient diff difference range period duration age version "
    "quality ratio uncertainty accuracy precision tolerance deviation resolution forecast predicted previous prev last old code coefficient "
    "compensation scale date valid invalid connected disconnected present fitted ok fault faulty failure missing timestamps cnt trip trips "
    "mask bit bits crc timer timeout sensitivity gain source mutation abnormal protection overheat overheating warn warning warnings critical "
    "recovery release reset treshold tresholds threshhold alarmthreshold thld visibility configuration button buttons anomaly exception query contains "
    "detection activation dehumidify dehumidification statistics tick ticks throttle throttled immediately send origin original uncalibrated "
    "exceeded deadband hyst override request requested command cmd settings setting wbgt felt perceived",
)
"""Words of a value that is no reading now: set points, limits, extremes, derived values, raw values, flags."""

NO_READING_ITSELF: Final = _words(
    "comfort eco away vacation holiday boost standby frost antifreeze color colour cct daily total sum weighted goal step ramp spread auto manual "
    "manu cal sample idle active saving cooling heating cool control controls up down display open",
)
"""The same, but only in the value's own name: an object around it may well be called so."""

PLACES: Final = _words("upper lower high low old last display open")
"""Words that tell where a probe is, in the name that somebody gave it."""

STATES: Final = _words("status state")
"""Names of objects in which a device tells of itself: what is in them is its own, or a flag."""

HAPPENINGS: Final = _words("low alarm alarms alert alerts event events warning warn")
"""Names of objects that tell why a device sends: a voltage in them is the battery's all the same."""

BOARD: Final = _words(
    "board int mcu cpu chip ic internal onboard device pcb core die housing enclosure system soc module modem radio gateway controller battery batt "
    "bat charger crystal reference motor compressor head lidar radar laser electronics electronic circuit barometer transmitter meter tracker "
    "gnss gps accelerometer",
)
ABOVE_ALL: Final = _words("device system module object head radar barometer transmitter meter tracker gnss gps controller gateway")
"""Words that, in the name of an object around it, say nothing about a temperature."""

SOIL: Final = _words("soil soild ground substrate earth")
LIQUID: Final = _words("water liquid fluid fuel oil ph orp ntu ldo ec do turbidity conductivity salinity")
PROCESS: Final = _words(
    "flow return supply inlet outlet process ir object surface pipe mold radiator wall exhaust boiler coolant steam floor forward leaf bearing "
    "winding sky globe",
)
EXTERNAL: Final = _words("ext external probe ds ds18b20 ds18 pt100 pt1000 thermistor thermocouple remote wired tc ntc rtd")
CHANNEL: Final = _words("channel ch level white red black green blue probe1 probe2 sensor port input")
COLOURS: Final = ("white", "red", "black", "green", "blue")

NEUTRAL: Final = TEMPERATURE | _words(
    "c f k x deg degree degrees fahrenheit kelvin tenths hundredths centi deci milli value val reading current curr cur measured measurement measure actual now "
    "of in at the data ambient air room indoor inside env environment environmental built builtin sensor",
)
"""Words that tell no probe from another."""

AMBIENT: Final = _words("ambient air room indoor inside env environment environmental builtin")

WRAPPERS: Final = _words(
    "data bytes values value payload decoded measurements measurement readings reading sensors sensor uplink message messages object fields "
    "telemetry air device system module result output outputs timeseries scalar content params attributes body normalized temperatures meas samples channels probes records report decoder obj history historydata datalog retransmit backlog buffer buffered entries log",
)
"""Names of objects that only wrap what is in them."""

BROKEN: Final = _words("invalid disconnected deconnected unplugged missing broken fault faulty failure failed error unconnected")
"""Words of a state in which a value is not to be believed."""

DOORS: Final = frozenset(
    {
        "door",
        "door open status",
        "door open",
        "door status",
        "door state",
        "door sensor",
        "door contact",
        "door contact state",
        "magnet status",
    }
    | {"magnet", "magnet state", "open", "contact open", "contact", "contact state", "contact status"},
)
OTHERS_THAT_OPEN: Final = _words("window valve relay switch detection circuit contactor")
"""Words around a bare `open` that make it no door's."""
WHICH: Final = _words("chn ch channel is")
"""Words that only tell one door from another."""
SUPPLY: Final = frozenset(
    {("supply", "voltage"), ("storage", "voltage"), ("capacitor", "voltage"), ("volt",), ("volts",), ("voltage",), ("bat", "mon")}
)
"""Names of a battery's voltage that do not say battery."""

GLUED: Final = ("temperature", "humidity", "battery", "voltage", "percent", "temp")
"""Words that people write together with others: roomtemp, batterypercent."""

KNOWN: Final = (
    NO_READING
    | BOARD
    | SOIL
    | LIQUID
    | PROCESS
    | EXTERNAL
    | CHANNEL
    | NEUTRAL
    | HUMIDITY
    | BATTERY
    | _words("percent percentage pct perc capacity box relative")
)
