"""The simulated traffic is the same for the same seed, in order for each device, shaped as The Things Stack's is."""

import base64
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pytest

from infra.simulator.catalog import FACTS, Model
from infra.simulator.fleet import Mix, Trouble, build_fleet
from infra.simulator.mischief import CLEAN, NAMES, Mischief
from infra.simulator.payloads import FRAMES
from infra.simulator.physics import DAY, HOUR, MINUTE
from infra.simulator.stages import Stage
from infra.simulator.traffic import traffic_of
from infra.simulator.uplink import Uplink, UplinkKind

BEGIN = 1_760_000_000_000
QUARTER = 15 * MINUTE
BY_HAPPENINGS = {UplinkKind.HISTORY, UplinkKind.CLOCK}
OFTEN = Mischief(0.1, 0.1, 0.1, 0.02, 0.1, 0.1, 0.05, foreign=0.1)


def uplinks_of(mischief: Mischief = CLEAN, days: int = 2, seed: int = 1) -> list[list[Uplink]]:
    """Each device's uplinks of a fleet's history."""
    stage = Stage.history(BEGIN, BEGIN + days * DAY, QUARTER)
    return [list(one.uplinks(stage)) for one in traffic_of(build_fleet(12, seed), "app", mischief)]


def message_of(uplink: Uplink) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(uplink.body)
    return message


def test_the_same_seed_gives_the_same_bodies_and_another_seed_other_ones() -> None:
    first, again, other = uplinks_of(OFTEN, days=1), uplinks_of(OFTEN, days=1), uplinks_of(OFTEN, days=1, seed=2)

    assert first == again
    assert first != other


def test_a_larger_fleet_begins_with_the_smaller_one() -> None:
    small, large = build_fleet(12, 7), build_fleet(40, 7)

    assert large.units[:12] == small.units
    assert len({device.dev_eui for device in large.devices}) == len(large.devices)


def test_a_dozen_units_have_fourteen_devices() -> None:
    fleet = build_fleet(12, 1)

    assert len(fleet.devices) == 14
    assert len({device.model for device in fleet.devices}) == 6


def test_a_fleet_of_every_model_has_each_of_them_at_least_twelve_in_all() -> None:
    fleet = build_fleet(len(Model), 1, Mix.EVERY_MODEL)

    assert [device.model for device in fleet.devices] == list(Model) == list(FACTS) == list(FRAMES)
    assert len(Model) >= 12


def test_every_oddity_occurs_when_asked_for_and_none_when_clean() -> None:
    odd = {uplink.kind for device in uplinks_of(OFTEN) for uplink in device}
    clean = {uplink.kind for device in uplinks_of(CLEAN) for uplink in device}

    assert odd == set(UplinkKind) - BY_HAPPENINGS
    assert clean == {UplinkKind.READING, UplinkKind.DOOR, UplinkKind.JOIN}


@pytest.mark.parametrize("name", NAMES)
def test_each_oddity_can_be_left_out_alone(name: str) -> None:
    mischief = replace(OFTEN, retries=0.1, held=0.1).without(frozenset({name}))

    assert getattr(mischief, name) == 0
    assert all(getattr(mischief, other) > 0 for other in NAMES if other != name)


def test_an_oddity_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="no oddity is called gremlins"):
        OFTEN.without(frozenset({"gremlins"}))


def test_what_a_device_sends_is_strictly_in_order_of_event_time() -> None:
    own = {UplinkKind.READING, UplinkKind.DOOR, UplinkKind.STATUS, UplinkKind.JOIN, UplinkKind.SENTINEL}

    for device in uplinks_of(OFTEN):
        times = [uplink.measured_at for uplink in device if uplink.kind in own]

        assert all(earlier < later for earlier, later in pairwise(times))
        assert times[0] >= BEGIN


def test_a_duplicate_is_the_same_body_and_follows_its_original() -> None:
    for device in uplinks_of(OFTEN):
        for before, uplink in pairwise(device):
            if uplink.kind is UplinkKind.DUPLICATE:
                assert uplink.body == before.body


def test_frame_counts_rise_by_one_start_over_at_a_join_and_zero_is_left_out() -> None:
    for device in uplinks_of(OFTEN.without(frozenset({"losses"}))):
        expected = 0
        for uplink in device:
            if uplink.kind is UplinkKind.JOIN:
                expected = 0
                assert "join_accept" in message_of(uplink)
            elif uplink.kind not in {UplinkKind.DUPLICATE, UplinkKind.STRANGER, UplinkKind.FOREIGN, UplinkKind.GARBAGE}:
                frame = message_of(uplink)["uplink_message"]
                assert frame.get("f_cnt", 0) == uplink.count == expected
                assert ("f_cnt" in frame) == (expected > 0)
                expected += 1


def test_a_new_session_has_another_key() -> None:
    keys = defaultdict(set)
    for device in uplinks_of(Mischief(joins=0.1)):
        for uplink in device:
            if uplink.kind is UplinkKind.JOIN:
                keys[uplink.dev_eui].add(message_of(uplink)["join_accept"]["session_key_id"])

    assert all(len(of_device) > 2 for of_device in keys.values())


def test_the_network_server_s_time_is_the_measured_one_and_the_outer_one_a_little_later() -> None:
    for device in uplinks_of(days=1):
        for uplink in device[1:]:
            message = message_of(uplink)

            inner, outer = message["uplink_message"]["received_at"], message["received_at"]
            assert inner.startswith(_iso(uplink.measured_at))
            assert outer.startswith(_iso(uplink.due_at))
            assert len(inner) == len("2026-11-23T10:00:00.123456789Z")
            assert 0 < uplink.due_at - uplink.measured_at < 100


def test_a_usual_body_has_one_to_two_kilobytes_and_all_the_envelope_s_parts() -> None:
    sizes = []
    for device in uplinks_of(days=1):
        for uplink in device[1:]:
            frame = message_of(uplink)["uplink_message"]
            sizes.append(len(uplink.body))
            assert {"session_key_id", "f_port", "frm_payload", "rx_metadata", "settings", "version_ids"} <= set(frame)

    assert min(sizes) > 1_000
    assert sum(sizes) / len(sizes) < 2_000


def test_the_stated_temperature_is_the_payload_s_rounded_half_away_from_zero() -> None:
    fields = {"lht65": "TempC_DS", "elt-2": "externalTemperature"}
    seen = set()
    for device in uplinks_of():
        for uplink in device:
            if uplink.hundredths is not None:
                frame = message_of(uplink)["uplink_message"]
                model = frame["version_ids"]["model_id"]
                value = frame["decoded_payload"][fields.get(model, "temperature")]
                degrees = Decimal(repr(value["value"] if isinstance(value, dict) else value))
                seen.add(model)
                assert uplink.hundredths == int((degrees * 100).quantize(Decimal(1), ROUND_HALF_UP))

    assert seen == {"lht65", "em300-th", "em320-th", "dl-ds18", "elt-2"}


def test_the_raw_bytes_of_a_probe_say_the_same_as_the_decoded_payload() -> None:
    device = next(device for device in uplinks_of(days=1) if b'"lht65"' in device[-1].body)

    for uplink in device[1:]:
        raw = base64.b64decode(message_of(uplink)["uplink_message"]["frm_payload"])
        decoded = message_of(uplink)["uplink_message"]["decoded_payload"]
        assert (int.from_bytes(raw[:2], "big") & 0x3FFF) / 1000 == decoded["BatV"]
        assert int.from_bytes(raw[2:4], "big", signed=True) / 100 == decoded["TempC_SHT"]
        assert int.from_bytes(raw[7:9], "big", signed=True) / 100 == decoded["TempC_DS"]


def test_an_unplugged_probe_sends_the_sentinel_and_states_no_temperature() -> None:
    sentinels = [uplink for device in uplinks_of(OFTEN) for uplink in device if uplink.kind is UplinkKind.SENTINEL]

    assert {message_of(one)["uplink_message"]["decoded_payload"]["TempC_DS"] for one in sentinels} == {327.67}
    assert {one.hundredths for one in sentinels} == {None}


def test_only_the_failing_refrigerator_is_warm_for_hours() -> None:
    fleet = build_fleet(12, 1)
    stage = Stage.history(BEGIN, BEGIN + 5 * DAY, QUARTER)
    warm: dict[Trouble, int] = {}
    owners = [unit for unit in fleet.units for _ in unit.devices]
    for unit, one in zip(owners, traffic_of(fleet, "app", CLEAN), strict=True):
        limit = -1_500 if unit.climate.set_point < 0 else 800
        above = [uplink for uplink in one.uplinks(stage) if uplink.hundredths is not None and uplink.hundredths > limit]
        warm[unit.trouble] = max(len(above) * QUARTER, warm.get(unit.trouble, 0))

    assert warm[Trouble.FAILING] > 4 * HOUR
    assert warm[Trouble.SILENT] < 2 * HOUR


def test_the_silent_sensor_misses_an_evening_and_comes_back() -> None:
    silent = uplinks_of(days=6)[9]

    gaps = [later.measured_at - earlier.measured_at for earlier, later in pairwise(silent)]

    assert 6 * HOUR < max(gaps) < 8 * HOUR


def test_the_quick_stage_shows_a_failure_and_its_end_within_two_minutes() -> None:
    stage = Stage.quick(BEGIN, BEGIN + 120_000, 2_000, BEGIN)
    failing = traffic_of(build_fleet(12, 1), "app", CLEAN)[4]

    readings = [uplink for uplink in failing.uplinks(stage) if uplink.hundredths is not None]
    warm = [uplink.measured_at - BEGIN for uplink in readings if (uplink.hundredths or 0) > 800]

    assert 10_000 < warm[0] < 30_000
    assert any((uplink.hundredths or 0) < 750 for uplink in readings if 60_000 < uplink.measured_at - BEGIN < 90_000)


def test_the_live_part_goes_on_where_the_history_ended() -> None:
    history, live = (
        Stage.history(BEGIN, BEGIN + DAY, QUARTER),
        Stage.live(BEGIN + DAY, BEGIN + DAY + HOUR, MINUTE, BEGIN),
    )
    one = traffic_of(build_fleet(1, 1), "app", CLEAN)[0]

    before, after = list(one.uplinks(history)), list(one.uplinks(live))

    assert before[-1].measured_at < BEGIN + DAY <= after[0].measured_at
    assert after[0].count == before[-1].count + 1


def _iso(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")[:-6]
