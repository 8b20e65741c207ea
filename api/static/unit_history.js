// What the timeline of the chosen unit rests on: values of one sensor over a span, policies, excursions, conditions; kept current, or as known at an instant.

import { correctedSince, correctionsAsKnown } from "./corrections.js";
import { conditionsAsKnown } from "./lanes.js";
import { limitPieces } from "./limits.js";
import { serverNow } from "./rest.js";
import { fetchBuckets, fetchConditions, fetchCorrections, fetchInForce, fetchMaintenance, fetchPolicies, fetchReadings, fetchStanding, fetchUnitExcursions } from "./rest_unit.js";
import { boundsOf, bucketSecondsOf } from "./span.js";
import { fromBuckets, fromReadings, goOn, shadedSpans } from "./spans.js";

const HOUR = 3_600_000;

/** Fetched before the span, so that a value that still holds at its start is there; longer gaps than this are rare. */
const LEAD_AT_MOST_MS = 6 * HOUR;
/** A page stays open for weeks: above this many readings, what has left the span is let go. */
const FORGET_ABOVE = 6_000;
/** Maintenance begins within the next year. */
const PLANNED_AHEAD_MS = 366 * 24 * HOUR;
const BUCKETS_LAST_MS = 30_000;
const STANDING_LASTS_MS = 60_000;

export class UnitHistory {
  /** @param {{onChange: () => void, onError: (error: Error) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.clear();
  }

  clear() {
    this.asking?.abort();
    this.asking = null;
    this.askingStanding?.abort();
    this.askingStanding = null;
    this.standing = null;
    this.standingAskedAt = null;
    this.unit = null;
    this.dropValues();
  }

  dropValues() {
    this.sensor = null;
    this.span = null;
    this.knownAt = null;
    this.readings = [];
    this.heard = [];
    this.buckets = null;
    this.bands = [];
    this.terms = {};
    this.policies = [];
    this.excursions = new Map();
    this.voided = [];
    this.conditions = [];
    this.corrections = [];
    this.maintenance = [];
    this.fetchedAt = null;
    this.trouble = null;
  }

  /** Whether what is held is of this sensor, span and instant. */
  isOf(sensor, span, knownAt) {
    return this.sensor === sensor && this.span === span && this.knownAt === knownAt;
  }

  /** Fetch everything for a span of a sensor of a unit, as known at an instant (null: now); what was fetched for another is dropped at once. */
  async load(unit, sensor, span, knownAt) {
    if (this.unit !== unit) this.clear();
    else if (!this.isOf(sensor, span, knownAt)) this.dropValues();
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    Object.assign(this, { unit, sensor, span, knownAt });
    this.askedAt = serverNow();
    this.heard = [];
    try {
      const found = await this.fetchAll(boundsOf(span, this.horizon(this.askedAt)), asking.signal);
      if (asking.signal.aborted) return;
      this.take(found);
      this.hooks.onChange();
      this.loadStanding();
    } catch (error) {
      if (asking.signal.aborted) return;
      this.trouble = error;
      this.hooks.onError(error);
      this.hooks.onChange();
    } finally {
      if (this.asking === asking) this.asking = null;
    }
  }

  /** How far there is anything to show. */
  horizon(now) {
    return this.knownAt ?? now;
  }

  async fetchAll({ from, to }, signal) {
    const { unit, sensor, knownAt } = this;
    const until = knownAt === null ? to + HOUR : to;
    const [values, inForce, policies, excursions, voided] = await Promise.all([
      this.fetchValues(sensor, from, to, signal),
      fetchInForce(unit.id, knownAt, signal),
      fetchPolicies(unit.id, from, to, signal),
      fetchUnitExcursions(unit.id, from, until, { knownAt, signal }),
      fetchUnitExcursions(unit.id, from, until, { knownAt, voided: true, signal }),
    ]);
    return { values, ...inForce, policies, excursions, voided };
  }

  take({ values, bands, terms, policies, excursions, voided }) {
    this.buckets = values.buckets;
    // What came live while the answer was on its way is newer than the answer; what is not in the answer any more was corrected away.
    this.readings = values.buckets ? this.tailOf(values.lastBefore) : joined(values.readings, this.heard);
    this.bands = bands;
    this.terms = terms;
    this.policies = policies;
    this.excursions = new Map(excursions.map((excursion) => [excursion.id, excursion]));
    this.voided = voided;
    this.fetchedAt = this.askedAt;
    this.trouble = null;
  }

  /** Readings that go on where buckets end: the value that held when they were asked for, and what came since. */
  tailOf(lastBefore) {
    return joined(this.heard.filter((reading) => reading.measuredAt > this.askedAt), lastBefore);
  }

  async fetchValues(sensor, from, to, signal) {
    const seconds = bucketSecondsOf(this.span.ms, sensor.intervalMs);
    const lead = Math.min(sensor.maxGapMs ?? HOUR, LEAD_AT_MOST_MS);
    const until = this.span.end === null && this.knownAt === null ? to + HOUR : to;
    if (seconds === null) return { readings: await fetchReadings(sensor.id, from - lead, until, this.knownAt, signal), buckets: null };
    const [buckets, lastBefore] = await Promise.all([fetchBuckets(sensor.id, from, to, seconds, this.knownAt, signal), this.fetchLast(sensor, to, lead, signal)]);
    return { readings: [], buckets, lastBefore };
  }

  /** The reading that may still hold where buckets end: live the page has it, for another instant it is asked for. */
  async fetchLast(sensor, to, lead, signal) {
    if (this.knownAt !== null) return (await fetchReadings(sensor.id, to - lead, to, this.knownAt, signal)).slice(-1);
    if (this.span.end !== null || sensor.measuredAt === 0) return [];
    return [{ sensor: sensor.id, measuredAt: sensor.measuredAt, temperature: sensor.temperature, fault: sensor.fault }];
  }

  /** Fetch what stands of the unit now, budgets, open conditions and running figures, and the conditions of the span. */
  async loadStanding() {
    this.askingStanding?.abort();
    const asking = new AbortController();
    this.askingStanding = asking;
    this.standingAskedAt = serverNow();
    const { from, to } = boundsOf(this.span, this.horizon(this.standingAskedAt));
    const { signal } = asking;
    const isRunning = this.knownAt === null && [...this.excursions.values()].some((excursion) => excursion.closedAt === null);
    try {
      const [standing, conditions, corrections, maintenance, excursions] = await Promise.all([
        fetchStanding(this.unit.id, signal),
        fetchConditions(this.unit.id, from, to, signal),
        fetchCorrections(this.unit.id, this.sensor.id, signal),
        fetchMaintenance(this.unit.id, from, this.knownAt === null ? to + PLANNED_AHEAD_MS : to, signal),
        isRunning ? fetchUnitExcursions(this.unit.id, from, to + HOUR, { knownAt: null, signal }) : [],
      ]);
      if (signal.aborted) return;
      this.standing = standing;
      this.conditions = conditions;
      this.corrections = corrections;
      this.maintenance = maintenance;
      for (const excursion of excursions) this.putExcursion(excursion);
      this.hooks.onChange();
    } catch (error) {
      if (!asking.signal.aborted) this.hooks.onError(error);
    }
  }

  /** Neither budgets nor conditions can be carried on reading by reading: fetch them again once they have aged, and after an excursion opened or ended. */
  isStandingOld(now) {
    return this.standingAskedAt !== null && now - this.standingAskedAt > STANDING_LASTS_MS;
  }

  /** Buckets are made anew when the newest one has grown; until then readings go on behind them. */
  isOld(now) {
    if (this.sensor === null || this.asking !== null || this.buckets === null || this.span.end !== null || this.knownAt !== null) return false;
    return now - this.askedAt > Math.max(BUCKETS_LAST_MS, (bucketSecondsOf(this.span.ms, this.sensor.intervalMs) * 1000) / 4);
  }

  /** Take a live reading; whether it belongs to this timeline. */
  takeReading(reading) {
    if (this.sensor === null || reading.sensor !== this.sensor.id || this.knownAt !== null) return false;
    if (this.asking !== null) this.heard.push(reading);
    const { readings } = this;
    const last = readings.at(-1);
    if (!last || reading.measuredAt > last.measuredAt) readings.push(reading);
    else this.readings = joined(readings, [reading]);
    if (readings.length > FORGET_ABOVE) this.forgetBefore(reading.measuredAt - this.span.ms - LEAD_AT_MOST_MS);
    return true;
  }

  forgetBefore(at) {
    const kept = this.readings.filter((reading) => reading.measuredAt >= at);
    if (kept.length < this.readings.length) this.readings = kept;
  }

  takeExcursion(excursion) {
    if (this.sensor === null || excursion.unit !== this.unit.id) return;
    if (this.standingAskedAt !== null) this.standingAskedAt = -Infinity;
    if (this.knownAt === null) this.putExcursion(excursion);
  }

  putExcursion(excursion) {
    const known = this.excursions.get(excursion.id);
    if (known && known.version > excursion.version) return;
    // What an event does not tell stays as it was told before.
    this.excursions.set(excursion.id, { ...excursion, unknownMs: excursion.unknownMs ?? known?.unknownMs ?? null, exposureMs: excursion.exposureMs ?? known?.exposureMs ?? null });
  }

  /** A condition began or ended: what stands is old. */
  takeCondition() {
    if (this.standingAskedAt !== null) this.standingAskedAt = -Infinity;
  }

  /** What to draw now, or null while nothing has been fetched. */
  picture(now) {
    if (this.fetchedAt === null) return null;
    const { from, to } = boundsOf(this.span, this.horizon(now));
    const columns = this.columns(from, to);
    const own = this.excursionsIn(from, to).filter((excursion) => this.isOfSensor(excursion.sensor));
    return {
      columns,
      isBand: this.buckets !== null,
      from,
      to,
      shaded: shadedSpans(own, from, to),
      limits: limitPieces(this.policies, from, to),
      excursions: own,
      voided: this.voided.filter((excursion) => this.isOfSensor(excursion.sensor)),
      conditions: this.shownConditions(from, to),
      corrections: this.knownCorrections(),
      maintenance: this.knownMaintenance().filter((window) => window.from < to && window.to > from),
      bands: this.policies.at(-1)?.bands ?? this.bands,
      unknown: columns.unknown,
    };
  }

  columns(from, to) {
    if (this.buckets === null) return fromReadings(this.readings, from, to, this.sensor.maxGapMs);
    const until = Math.min(to, this.fetchedAt);
    const columns = fromBuckets(this.buckets, from, until);
    return to > until && this.span.end === null ? goOn(columns, fromReadings(this.readings, until, to, this.sensor.maxGapMs)) : columns;
  }

  isOfSensor(sensor) {
    return sensor === null || sensor === this.sensor.id;
  }

  /** The newest reading or fault mark that is held, or null: of buckets none is. */
  lastReading() {
    return this.readings.findLast((reading) => reading.temperature !== null || reading.fault !== null) ?? null;
  }

  /** Excursions of the unit within a stretch, newest first. */
  excursionsIn(from, to) {
    return [...this.excursions.values()]
      .filter((excursion) => (excursion.endedAt === null || excursion.endedAt > from) && excursion.startedAt < to)
      .sort((one, other) => other.startedAt - one.startedAt);
  }

  /** Maintenance of the span, and what is planned, as far as it had been declared. */
  knownMaintenance() {
    return this.knownAt === null ? this.maintenance : this.maintenance.filter((window) => window.declaredAt <= this.knownAt);
  }

  /** Corrections of the unit and the chosen sensor, as far as they had been made. */
  knownCorrections() {
    return correctionsAsKnown(this.corrections, this.knownAt);
  }

  /** How many corrections of what is shown came after the instant as of which it is shown. */
  correctedSince() {
    if (this.knownAt === null || this.span === null) return 0;
    const { from, to } = boundsOf(this.span, this.knownAt);
    return correctedSince(this.corrections, this.knownAt, from, to);
  }

  /** Conditions of the chosen sensor and of its device. */
  shownConditions(from, to) {
    const devices = this.standing?.devices ?? new Map();
    const device = devices.get(this.sensor.id) ?? null;
    const all = new Map([...(this.standing?.conditions ?? []), ...this.conditions].map((condition) => [condition.id, condition]));
    const own = [...all.values()].filter((condition) => (condition.sensor === null ? device === null || condition.device === device : condition.sensor === this.sensor.id));
    return conditionsAsKnown(own, this.knownAt).filter((condition) => condition.startedAt < to && (condition.endedAt === null || condition.endedAt > from));
  }
}

/** The value known at an instant, as [lowest, mean, highest], or null. */
export function valueAt(picture, at) {
  const { columns, isBand } = picture;
  if (at < picture.from || at > picture.to) return null;
  let low = 0;
  let high = columns.x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (columns.x[middle] <= at) low = middle + 1;
    else high = middle;
  }
  if (isBand) {
    const before = Math.max(0, low - 1);
    const near = low < columns.x.length && columns.x[low] - at < at - columns.x[before] ? low : before;
    const mean = columns.mean[near] ?? null;
    return mean === null ? null : [columns.low[near], mean, columns.high[near]];
  }
  const isUnknown = columns.unknown.some(([from, to]) => at >= from && at < to);
  const value = low > 0 && !isUnknown ? columns.y[low - 1] : null;
  return value === null ? null : [value, value, value];
}

/** Readings of both lists in order, one for each instant; the first list's stays. */
function joined(first, second) {
  const byTime = new Map(second.map((reading) => [reading.measuredAt, reading]));
  for (const reading of first) byTime.set(reading.measuredAt, reading);
  return [...byTime.values()].sort((one, other) => one.measuredAt - other.measuredAt);
}
