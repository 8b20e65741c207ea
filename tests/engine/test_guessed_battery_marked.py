"""What decode_uplinks says of a battery's percent that nothing but its value tells, so that no condition is judged by it."""

import numpy as np
import pytest

from pipelines.domain.decoders.decode import Decoded
from pipelines.domain.decoders.message import MessageKind
from pipelines.domain.decoders.readings import ProbeReading
from pipelines.engine.decoding import stamped_rows
from schemas.readings import ROW, RowFlag
from tests.engine.test_wrong_times_marked import AT, DEVICE, uplink


@pytest.mark.parametrize(("is_guessed", "flags"), [(True, RowFlag.BATTERY_GUESSED), (False, 0)])
def test_guessed_percent_is_stored_with_a_mark(is_guessed: bool, flags: int) -> None:
    reading = ProbeReading("main", AT, 400, battery_percent=5, battery_guessed=is_guessed)

    packed, _ = stamped_rows(uplink(), Decoded(MessageKind.UPLINK_MESSAGE, (reading,), main=reading), DEVICE)

    rows = np.frombuffer(b"".join(packed), dtype=ROW)
    assert (rows["battery_percent"].tolist(), rows["flags"].tolist()) == ([5], [flags])
