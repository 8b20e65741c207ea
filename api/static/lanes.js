// What happened beside the temperature, as lanes of bars under the chart: excursions by band, breaching, unknown time, conditions. Pure; times in ms.

/** Titles of the kinds of conditions, in the order of their lanes; a kind that this page does not know comes after them. */
export const CONDITION_TITLES = {
  offline: "Offline",
  possible_excursion: "Possible excursion",
  sensor_fault: "Sensor fault",
  clock_wrong: "Clock wrong",
  frozen_value: "Frozen value",
  door_open: "Door open",
  battery_low: "Battery low",
};

/** Unknown stretches closer than this share of the span are one bar: nobody could point at them. */
const NEAR_SHARE = 1 / 300;
/** More bars than a lane has room for would only make the page slow. */
const BARS_AT_MOST = 200;

/**
 * @param {{bands: object[], excursions: object[], voided: object[], conditions: object[], corrections: object[], maintenance: object[], unknown: [number, number, string|null][],
 *   breachingSince: number|null, from: number, to: number}} told
 * @returns {{key: string, title: string, bars: object[]}[]} a bar has `key`, `kind`, `from`, `to` within the span, `isOpen` where it goes on,
 *   and what it stands for as `excursion`, `condition`, `window`, `correction` or `stretches`
 */
export function lanesOf(told) {
  return [...bandLanes(told), ...breachingLane(told), ...unknownLane(told), ...conditionLanes(told), ...maintenanceLane(told), ...correctionLane(told)].map((lane) => ({
    ...lane,
    bars: lane.bars.sort((one, other) => one.from - other.from).slice(-BARS_AT_MOST),
  }));
}

function bandLanes({ bands, excursions, voided, from, to }) {
  const bars = [
    ...voided.map((excursion) => excursionBar(excursion, "voided", excursion.endedAt ?? excursion.knownAt, from, to)),
    ...excursions.map((excursion) => excursionBar(excursion, excursion.closedAt === null ? "open" : "closed", excursion.endedAt, from, to)),
  ].filter(Boolean);
  const names = new Set([...bands.map((band) => band.name), ...bars.map((bar) => bar.excursion.band)]);
  return [...names].map((name) => ({ key: `band ${name}`, title: name, bars: bars.filter((bar) => bar.excursion.band === name) }));
}

function excursionBar(excursion, kind, endedAt, from, to) {
  const bar = barBetween(excursion.startedAt, endedAt, from, to);
  return bar && { ...bar, key: `${kind} ${excursion.id}`, kind, excursion };
}

function breachingLane({ breachingSince, from, to }) {
  const bar = breachingSince === null ? null : barBetween(breachingSince, null, from, to);
  return bar ? [{ key: "breaching", title: "Out of range, not yet an excursion", bars: [{ ...bar, key: "breaching", kind: "pending" }] }] : [];
}

function unknownLane({ unknown, from, to }) {
  const near = (to - from) * NEAR_SHARE;
  const bars = [];
  for (const [start, end, fault] of unknown) {
    const last = bars.at(-1);
    if (last && start - last.to <= near) {
      last.to = end;
      last.stretches.push([start, end, fault]);
    } else bars.push({ key: `unknown ${start}`, kind: "unknown", from: start, to: end, stretches: [[start, end, fault]] });
  }
  for (const bar of bars) bar.isOpen = bar.to >= to;
  return bars.length > 0 ? [{ key: "unknown", title: "Unknown", bars }] : [];
}

function conditionLanes({ conditions, from, to }) {
  const known = Object.keys(CONDITION_TITLES);
  const kinds = [...new Set(conditions.map((condition) => condition.kind))].sort((one, other) => placeOf(known, one) - placeOf(known, other));
  return kinds
    .map((kind) => ({ key: `condition ${kind}`, title: conditionTitle(kind), bars: conditionBars(conditions, kind, from, to) }))
    .filter((lane) => lane.bars.length > 0);
}

function conditionBars(conditions, kind, from, to) {
  return conditions
    .filter((condition) => condition.kind === kind)
    .map((condition) => {
      const bar = barBetween(condition.startedAt, condition.endedAt, from, to);
      return bar && { ...bar, key: `condition ${condition.id}`, kind: kind === "possible_excursion" ? "possible" : "condition", condition };
    })
    .filter(Boolean);
}

function maintenanceLane({ maintenance, from, to }) {
  const bars = maintenance
    .map((window) => {
      const bar = barBetween(window.from, window.to, from, to);
      return bar && { ...bar, isOpen: window.to > to, key: `maintenance ${window.id}`, kind: "maintenance", window };
    })
    .filter(Boolean);
  return bars.length > 0 ? [{ key: "maintenance", title: "Maintenance", bars }] : [];
}

function correctionLane({ corrections, from, to }) {
  const bars = corrections
    .map((correction) => {
      const bar = barBetween(correction.from, correction.to, from, to);
      return bar && { ...bar, key: `correction ${correction.id}`, kind: correction.revokedAt === null ? "correction" : "revoked", correction };
    })
    .filter(Boolean);
  return bars.length > 0 ? [{ key: "corrections", title: "Corrected", bars }] : [];
}

/** "Door open" for `door_open`. */
export function conditionTitle(kind) {
  const plain = kind.replaceAll("_", " ");
  return CONDITION_TITLES[kind] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

function placeOf(known, kind) {
  const place = known.indexOf(kind);
  return place < 0 ? known.length : place;
}

function barBetween(start, end, from, to) {
  const until = end ?? to;
  if (start > to || until < from) return null;
  return { from: Math.max(start, from), to: Math.min(until, to), isOpen: end === null };
}

/**
 * What was believed at an instant of what is told with its times only: nothing that began later, and open what ended later.
 * @param {{startedAt: number, openedAt: number, endedAt: number|null, closedAt: number|null}[]} conditions
 */
export function conditionsAsKnown(conditions, knownAt) {
  if (knownAt === null) return conditions;
  return conditions
    .filter((condition) => condition.openedAt <= knownAt)
    .map((condition) => (condition.closedAt !== null && condition.closedAt > knownAt ? { ...condition, endedAt: null, closedAt: null } : condition));
}
