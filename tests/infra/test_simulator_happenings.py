"""What a scenario says will happen happens, when it says, to whom it says, and to nobody else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from infra.simulator.catalog import Model
from infra.simulator.fleet import Fleet, Mix, build_fleet
from infra.simulator.happenings import Happening, What
from infra.simulator.journal import Journal, read_journal
from infra.simulator.mischief import CLEAN, Mischief
from infra.simulator.payloads import FRAMES
from infra.simulator.physics import DAY, HOUR, MINUTE
from infra.simulator.stages import Stage
from infra.simulator.traffic import DeviceTraffic, traffic_of
from infra.simulator.uplink import Uplink, UplinkKind
from pipelines.domain.instants import parse_instant

BEGIN = 1_760_000_000_000
INTERVAL = 5 * MINUTE
FROM, TO = BEGIN + 2 * HOUR, BEGIN + 3 * HOUR


def happening(what: What, **given: Any) -> Happening:
    return Happening(**{"what": what, "begin": FROM - BEGIN, "length": TO - FROM, **given})


def stage_of(*happenings: Happening, ramp: int = 0) -> Stage:
    return replace(Stage.live(BEGIN, BEGIN + 8 * HOUR, INTERVAL, BEGIN), happenings=happenings, ramp=ramp)


def calm(units: int = 12) -> Fleet:
    return build_fleet(units, 1, Mix.CALM)


def devices(fleet: Fleet, mischief: Mischief = CLEAN) -> list[DeviceTraffic]:
    return traffic_of(fleet, "app", mischief)


def each(fleet: Fleet, *happenings: Happening, mischief: Mischief = CLEAN) -> Iterator[tuple[Model, str, list[Uplink]]]:
    """Each device's model, site and uplinks."""
    stage = stage_of(*happenings)
    for unit, one in zip(fleet.units, devices(fleet, mischief), strict=True):
        yield unit.devices[0].model, unit.site.name, list(one.uplinks(stage))


def readings(uplinks: list[Uplink]) -> list[Uplink]:
    return [uplink for uplink in uplinks if uplink.kind is UplinkKind.READING]


def message_of(uplink: Uplink) -> dict[str, Any]:
    message = json.loads(uplink.body)
    inner: dict[str, Any] = message.get("uplink_message") or message["join_accept"]
    return inner


def test_what_no_gateway_hears_is_lost_unless_the_device_keeps_a_log() -> None:
    out = happening(What.GATEWAY_OUT, site="Osaka depot")
    undisturbed = list(each(calm()))

    for (model, site, uplinks), (_, _, all_of_them) in zip(each(calm(), out), undisturbed, strict=True):
        sent = {uplink.measured_at for uplink in readings(uplinks)}
        missed = [uplink for uplink in readings(all_of_them) if uplink.measured_at not in sent]
        later = [entry for uplink in uplinks for entry in uplink.history]
        if site != "Osaka depot":
            assert not missed
        else:
            assert len(missed) == 12
            assert {FROM <= uplink.measured_at < TO for uplink in missed} == {True}
            wanted = [(uplink.measured_at // 1000 * 1000, uplink.hundredths) for uplink in reversed(missed)]
            assert later == (wanted if FRAMES[model].log else [])


def test_one_gateway_out_is_no_loss_to_those_whom_another_one_hears() -> None:
    out = happening(What.GATEWAY_OUT, gateway=1)

    seen = [uplink for _, _, uplinks in each(calm(), out) for uplink in readings(uplinks) if FROM <= uplink.measured_at < TO]

    names = [entry["gateway_ids"]["gateway_id"] for uplink in seen for entry in message_of(uplink)["rx_metadata"]]
    assert 12 * 12 * 0.6 < len(seen) < 12 * 12
    assert not [name for name in names if name.endswith("-1")]


def test_what_could_not_be_delivered_is_delivered_afterwards_newest_first() -> None:
    out = happening(What.WEBHOOK_OUT)

    for (_, _, uplinks), (_, _, undisturbed) in zip(each(calm(), out), list(each(calm())), strict=True):
        held = [uplink for uplink in uplinks if uplink.held_ms]
        assert len(held) == 12
        assert all(later.measured_at < earlier.measured_at for earlier, later in pairwise(held))
        assert all(TO <= uplink.due_at <= TO + (TO - FROM) // 10 for uplink in held)
        assert sorted(uplink.body for uplink in uplinks) == sorted(uplink.body for uplink in undisturbed)
        assert all(earlier.due_at <= later.due_at for earlier, later in pairwise(uplinks))


def test_held_uplinks_are_overtaken_and_nothing_is_lost() -> None:
    mischief = replace(CLEAN, held=0.3, held_ms=20 * MINUTE)

    overtaken = 0
    for (_, _, uplinks), (_, _, in_order) in zip(each(calm(), mischief=mischief), list(each(calm())), strict=True):
        assert sorted(uplink.body for uplink in uplinks) == sorted(uplink.body for uplink in in_order)
        assert all(earlier.due_at <= later.due_at for earlier, later in pairwise(uplinks))
        overtaken += sum(later.measured_at < earlier.measured_at for earlier, later in pairwise(uplinks))
    assert overtaken > 100


def test_a_delivery_that_comes_again_is_marked_on_both_lines_of_the_journal(tmp_path: Path) -> None:
    mischief = replace(CLEAN, retries=0.1, duplicates=0.1)
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for _, _, uplinks in each(calm(), mischief=mischief):
            for uplink in uplinks:
                journal.write(uplink, uplink.due_at, 1)

    lines = read_journal(path)

    doubled = {(line.dev_eui, line.measured_at) for line in lines if line.kind == "duplicate"}
    marked = {(line.dev_eui, line.measured_at) for line in lines if line.twice}
    assert len(doubled) > 100
    assert doubled == marked
    assert b'"twice":false' not in path.read_bytes()


def test_a_silent_device_sends_nothing_and_comes_back() -> None:
    for _, _, uplinks in each(calm(), happening(What.SILENT)):
        times = [uplink.measured_at for uplink in uplinks]
        assert not [at for at in times if FROM <= at < TO]
        assert times[-1] > TO


def test_a_device_that_joins_again_begins_a_session_and_counts_from_zero() -> None:
    for _, _, uplinks in each(calm(), happening(What.REJOIN, length=DAY)):
        joins = [place for place, uplink in enumerate(uplinks) if uplink.kind is UplinkKind.JOIN]
        assert len(joins) == 2
        assert FROM - INTERVAL <= uplinks[joins[1]].measured_at <= FROM + INTERVAL
        assert uplinks[joins[1] + 1].count == 0
        keys = {message_of(uplinks[place])["session_key_id"] for place in joins}
        assert len(keys) == 2


def test_a_probe_that_is_off_gives_a_sentinel_where_the_model_has_one() -> None:
    kinds = {
        model: {uplink.kind for uplink in uplinks if FROM <= uplink.measured_at < TO}
        for model, _, uplinks in each(calm(), happening(What.PROBE_OFF))
    }

    assert kinds[Model.LHT65] == {UplinkKind.SENTINEL}
    assert kinds[Model.EM300_TH] == {UplinkKind.READING}


def test_doors_compressors_and_defrosts_warm_the_unit_and_it_cools_down_again() -> None:
    for what, least in ((What.DOOR_OPEN, 500), (What.COMPRESSOR_OFF, 200), (What.DEFROST, 400)):
        for (_, _, warmed), (_, _, usual) in zip(each(calm(), happening(what)), list(each(calm())), strict=True):
            higher = {
                one.measured_at: (one.hundredths or 0) - (other.hundredths or 0)
                for one, other in zip(readings(warmed), readings(usual), strict=True)
            }
            assert max(higher.values()) >= least
            assert all(abs(more) <= 5 for at, more in higher.items() if at < FROM or at > TO + 3 * HOUR)


def test_a_gateway_s_wrong_clock_is_seen_in_its_times_alone() -> None:
    wrong = happening(What.GATEWAY_CLOCK, by=38 * MINUTE)

    for (_, _, uplinks), (_, _, usual) in zip(each(calm(1), wrong), list(each(calm(1))), strict=True):
        assert [(one.measured_at, one.hundredths) for one in uplinks] == [(one.measured_at, one.hundredths) for one in usual]
        for uplink in readings(uplinks):
            ahead = parse_instant(message_of(uplink)["rx_metadata"][0]["time"]) - uplink.measured_at
            assert abs(ahead - (38 * MINUTE if FROM <= uplink.measured_at < TO else 0)) < 1000


def test_a_network_server_whose_clock_is_far_ahead_is_not_believed_and_one_a_little_back_is() -> None:
    ahead, back = happening(What.NETWORK_CLOCK, by=HOUR), happening(What.NETWORK_CLOCK, by=-2 * MINUTE)

    _, _, wrong = next(each(calm(1), ahead))
    _, _, early = next(each(calm(1), back))

    not_believed = [uplink for uplink in wrong if uplink.kind is UplinkKind.CLOCK]
    assert len(not_believed) == 12
    assert {uplink.hundredths for uplink in not_believed} == {None}
    assert {uplink.kind for uplink in early} == {UplinkKind.JOIN, UplinkKind.READING}
    assert sum(uplink.due_at - uplink.measured_at > 2 * MINUTE for uplink in early) == 12


def test_a_device_s_wrong_clock_dates_its_log_and_one_decades_off_leaves_nothing_to_store() -> None:
    out = happening(What.GATEWAY_OUT)
    hour = happening(What.DEVICE_CLOCK, begin=0, length=DAY, by=-HOUR)
    decades = happening(What.DEVICE_CLOCK, begin=0, length=DAY, by=-18_000 * DAY)

    def log_of(*happenings: Happening) -> list[tuple[int, int]]:
        return [
            entry
            for model, _, uplinks in each(calm(), *happenings)
            if model is Model.EM300_TH
            for uplink in uplinks
            for entry in uplink.history
        ]

    right = log_of(out)
    assert log_of(out, hour) == [(at - HOUR, hundredths) for at, hundredths in right]
    assert right
    assert log_of(out, decades) == []


def test_a_happening_concerns_those_it_names() -> None:
    fleet = calm(300)

    def silent(**whom: Any) -> set[int]:
        stage = stage_of(happening(What.SILENT, begin=0, length=DAY, **whom))
        return {unit.number for unit, one in zip(fleet.units, devices(fleet), strict=True) if next(one.uplinks(stage), None) is None}

    assert silent(units=frozenset({3, 7})) == {3, 7}
    assert silent(site="Osaka depot") == {unit.number for unit in fleet.units if unit.site.name == "Osaka depot"}
    assert 60 < len(silent(share=0.3)) < 120
    assert silent(share=0.3, site="Osaka depot") < silent(site="Osaka depot")


def test_devices_are_switched_on_one_after_another() -> None:
    fleet = calm(100)
    stage = stage_of(ramp=2 * HOUR)

    firsts = sorted(next(one.uplinks(stage)).measured_at - BEGIN for one in devices(fleet))

    assert firsts[10] < 30 * MINUTE
    assert 90 * MINUTE < firsts[90] < 2 * HOUR + 2 * INTERVAL


def test_devices_are_spread_evenly_over_the_interval() -> None:
    fleet = calm(1000)
    stage = Stage.live(BEGIN, BEGIN + 4 * 5000, 5000, BEGIN)

    counts = [0] * 20
    for one in devices(fleet):
        for uplink in readings(list(one.uplinks(stage))):
            second = (uplink.measured_at - BEGIN) // 1000
            counts[second] += 1

    assert all(150 < count < 250 for count in counts[8:18])
