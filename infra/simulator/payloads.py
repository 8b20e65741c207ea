"""Which frames are whose: what each model sends at each interval, about itself, without its probe, and from its log."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from infra.simulator.catalog import Model
from infra.simulator.frame import Entries, Payload, Sample
from infra.simulator.makers import air, dragino, milesight, wired

Frame = Callable[[Sample], Payload]


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a model; None where it has none of a kind."""

    measured: Frame
    status: Frame | None = None
    """About itself, without a temperature."""
    unplugged: Frame | None = None
    """With its sign that the probe is not plugged in."""
    log: Callable[[Entries, int], Payload] | None = None
    """From its log, sent at an instant (ms UTC)."""


FRAMES: Final = {
    Model.LHT65: Frames(dragino.lht65, partial(dragino.status, "lht65"), partial(dragino.lht65, is_plugged=False)),
    Model.LHT52: Frames(dragino.lht52, partial(dragino.status, "lht52"), partial(dragino.lht52, is_plugged=False)),
    Model.LSN50_D20: Frames(dragino.lsn50_d20, unplugged=partial(dragino.lsn50_d20, is_plugged=False)),
    Model.LDS02: Frames(dragino.door, partial(dragino.status, "lds02")),
    Model.EM300_TH: Frames(milesight.air, milesight.status, log=partial(milesight.log, with_status=True)),
    Model.EM300_MCS: Frames(milesight.magnet, milesight.status),
    Model.EM320_TH: Frames(milesight.air, milesight.status, log=partial(milesight.log, with_status=False)),
    Model.EM500_PT100: Frames(milesight.pt100, milesight.status),
    Model.WS301: Frames(milesight.door, milesight.status),
    Model.DL_DS18: Frames(wired.decentlab, wired.decentlab_status),
    Model.ELT_2: Frames(wired.elt, wired.elsys_status),
    Model.ERS: Frames(air.ers, wired.elsys_status),
    Model.R718B: Frames(partial(wired.netvox, "R718B", 0x95), partial(wired.netvox_status, "R718B", 0x95)),
    Model.R718CK: Frames(partial(wired.netvox, "R718CK", 0x91), partial(wired.netvox_status, "R718CK", 0x91)),
    Model.R720B: Frames(air.netvox),
    Model.TBHH100: Frames(air.browan),
    Model.OY1110: Frames(air.talkpool),
    Model.T00078XX: Frames(air.tektelic),
    Model.HT_SENSOR: Frames(air.mclimate),
    Model.SENSECAP_S2101: Frames(air.sensecap),
    Model.CAYENNE: Frames(air.cayenne),
    Model.TX_TEMP_CONT1: Frames(wired.enless, wired.enless_status),
    Model.RS1XX_RTD: Frames(wired.laird, wired.laird_status, log=wired.laird_log),
    Model.REMOTE_T: Frames(wired.watteco, wired.watteco_status),
}
