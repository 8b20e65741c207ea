"""Duplicated and reordered HTTP deliveries and lost answers, while the API is killed now and then as well."""

import random
import signal
import time
from typing import Final

from infra.local.parts import Part
from tests.faults.processes import KILL
from tests.faults.rig import Rig, now
from tests.faults.work import Recovery, Watch

LOAD_SECONDS: Final = 40.0
KILLS: Final = 2


def disturb_deliveries(rig: Rig, chance: random.Random, rounds: int) -> list[Recovery]:
    """Let the fleet post through the proxy; kill the API twice meanwhile, so that answers are lost on both sides."""
    watch = Watch(rig)
    for _ in range(rounds * KILLS):
        time.sleep(LOAD_SECONDS / KILLS * chance.uniform(0.6, 1.0))
        began_at = now()
        rig.stack.kill(Part.API, signal.SIGKILL)
        watch.until_at_work(KILL, Part.API, began_at)
        watch.wait_all()
    return watch.recoveries
