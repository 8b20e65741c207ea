"""Every metric of Coldstream, defined once, under names `coldstream_<area>_<noun>_<unit>_total`."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

FLOW_RECORDS: Final = Counter("coldstream_flow_records_total", "Records a flow has read from the log.", ["flow"])
FLOW_LAG: Final = Gauge("coldstream_flow_lag_records", "Records in the log that a flow has not read.", ["flow", "topic", "partition"])
FLOW_CLOCK: Final = Gauge("coldstream_flow_clock_seconds", "The partition's clock (unix time) as the flow has read it.", ["flow", "partition"])
FLOW_CLOCK_AGE: Final = Gauge("coldstream_flow_clock_age_seconds", "Wall time less the partition's clock.", ["flow", "partition"])
FLOW_COMMIT_SECONDS: Final = Histogram("coldstream_flow_commit_seconds", "Time a database transaction of a flow took.", ["flow"])

UPLINKS_DECODED: Final = Counter("coldstream_decode_uplinks_total", "Uplinks decoded, by what became of them.", ["ended_as"])
DEAD_LETTERS: Final = Counter("coldstream_decode_dead_letters_total", "Dead letters written, by reason.", ["reason"])
READINGS_STORED: Final = Counter("coldstream_store_readings_total", "Rows offered to the hypertable, by what became of them.", ["outcome"])
EXCURSIONS_RECORDED: Final = Counter("coldstream_detect_excursions_total", "Excursion versions written, by reason.", ["reason"])
READINGS_JUDGED: Final = Counter("coldstream_detect_readings_total", "Readings judged, by path: quiet, machine, late, repeated.", ["path"])
