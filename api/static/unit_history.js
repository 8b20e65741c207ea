// What the chart of the chosen unit rests on: readings or buckets of one sensor over a range, its limits and excursions; kept current.

import { fetchBuckets, fetchBudgets, fetchPolicyBands, fetchReadings, fetchUnitExcursions, serverNow } from "./rest.js";
import { fromBuckets, fromReadings, shadedSpans } from "./spans.js";

const HOUR = 3_600_000;

/** Buckets are about as many as a chart has pixels; of a long range single readings could not be told apart. */
export const RANGES = {
  "1h": { ms: HOUR, bucketSeconds: 10, words: "hour" },
  "24h": { ms: 24 * HOUR, bucketSeconds: 120, words: "24 hours" },
  "7d": { ms: 168 * HOUR, bucketSeconds: 900, words: "7 days", isLong: true },
  "30d": { ms: 720 * HOUR, bucketSeconds: 3_600, words: "30 days", isLong: true },
};

/** Above this many readings buckets are asked for in a short range too. */
const READINGS_AT_MOST = 3_000;
/** Fetched before the range, so that a value that still holds at its start is there; longer gaps than this are rare. */
const LEAD_AT_MOST_MS = 6 * HOUR;
const FORGET_ABOVE = 2 * READINGS_AT_MOST;
const BUCKETS_LAST_MS = 30_000;
const BUDGETS_LAST_MS = 60_000;

/** Bands whose limit is for single readings; that of a mean is drawn where there is no other. */
const LIMITS_OF_READINGS = new Set(["sustained", "cumulative"]);

export class UnitHistory {
  /** @param {{onChange: () => void, onError: (error: Error) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.clear();
  }

  clear() {
    this.asking?.abort();
    this.asking = null;
    this.askingBudgets?.abort();
    this.askingBudgets = null;
    this.budgets = new Map();
    this.budgetsAskedAt = null;
    this.sensor = null;
    this.range = "24h";
    this.readings = [];
    this.buckets = null;
    this.bands = [];
    this.excursions = new Map();
    this.fetchedAt = null;
  }

  /** Fetch everything for a sensor of a unit; what was fetched for another is dropped at once. */
  async load(unit, sensor, range) {
    const isOther = this.sensor !== sensor || this.range !== range || this.unit !== unit;
    if (isOther) this.clear();
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    Object.assign(this, { unit, sensor, range });
    const to = serverNow();
    const from = to - RANGES[range].ms;
    this.askedAt = to;
    try {
      const [values, bands, excursions] = await Promise.all([
        this.fetchValues(sensor, from, to, asking.signal),
        fetchPolicyBands(unit.id),
        fetchUnitExcursions(unit.id, from, to + HOUR, asking.signal),
      ]);
      if (asking.signal.aborted) return;
      this.buckets = values.buckets;
      this.readings = values.buckets ? [] : joined(values.readings, this.readings);
      this.bands = bands;
      this.excursions = new Map(excursions.map((excursion) => [excursion.id, excursion]));
      this.fetchedAt = to;
      this.hooks.onChange();
      this.loadBudgets();
    } catch (error) {
      if (!asking.signal.aborted) this.hooks.onError(error);
    } finally {
      if (this.asking === asking) this.asking = null;
    }
  }

  /** Fetch what is left of the unit's budgets, where it has any. */
  async loadBudgets() {
    if (!this.bands.some((band) => band.kind === "cumulative")) return;
    this.askingBudgets?.abort();
    const asking = new AbortController();
    this.askingBudgets = asking;
    this.budgetsAskedAt = serverNow();
    try {
      const budgets = await fetchBudgets(this.unit.id, asking.signal);
      if (asking.signal.aborted) return;
      this.budgets = budgets;
      this.hooks.onChange();
    } catch (error) {
      if (!asking.signal.aborted) this.hooks.onError(error);
    }
  }

  /** Budgets cannot be carried on reading by reading: fetch them again once they have aged, and after an excursion opened or ended. */
  areBudgetsOld(now) {
    return this.budgetsAskedAt !== null && now - this.budgetsAskedAt > BUDGETS_LAST_MS;
  }

  async fetchValues(sensor, from, to, signal) {
    const { ms, bucketSeconds, isLong } = RANGES[this.range];
    const areFew = sensor.intervalMs === null ? ms === HOUR : ms / sensor.intervalMs <= READINGS_AT_MOST;
    if (areFew && !isLong) {
      const lead = Math.min(sensor.maxGapMs ?? HOUR, LEAD_AT_MOST_MS);
      return { readings: await fetchReadings(sensor.id, from - lead, to + HOUR, signal), buckets: null };
    }
    return { readings: [], buckets: await fetchBuckets(sensor.id, from, to, bucketSeconds, signal) };
  }

  /** Buckets cannot be carried on reading by reading: fetch them again when they have aged. */
  isOld(now) {
    if (this.sensor === null || this.asking !== null || this.buckets === null) return false;
    return now - this.askedAt > Math.max(BUCKETS_LAST_MS, (RANGES[this.range].bucketSeconds * 1000) / 4);
  }

  /** Take a live reading; whether it belongs to this chart. */
  takeReading(reading) {
    if (this.sensor === null || reading.sensor !== this.sensor.id || this.buckets !== null) return false;
    const { readings } = this;
    const last = readings[readings.length - 1];
    if (!last || reading.measuredAt > last.measuredAt) readings.push(reading);
    else this.readings = joined(readings, [reading]);
    if (readings.length > FORGET_ABOVE) this.forgetBefore(reading.measuredAt - RANGES[this.range].ms - LEAD_AT_MOST_MS);
    return true;
  }

  /** A page stays open for weeks: what has left the range is let go. */
  forgetBefore(at) {
    const kept = this.readings.filter((reading) => reading.measuredAt >= at);
    if (kept.length < this.readings.length) this.readings = kept;
  }

  takeExcursion(excursion) {
    if (this.sensor === null || excursion.unit !== this.unit.id) return;
    const known = this.excursions.get(excursion.id);
    if (known && known.version > excursion.version) return;
    this.excursions.set(excursion.id, excursion);
    if (this.budgetsAskedAt !== null) this.budgetsAskedAt = -Infinity;
  }

  /** What to draw now, or null while nothing has been fetched. */
  picture(now) {
    if (this.fetchedAt === null) return null;
    const isBand = this.buckets !== null;
    const to = isBand ? this.fetchedAt : now;
    const from = to - RANGES[this.range].ms;
    const columns = isBand ? fromBuckets(this.buckets, from, to) : fromReadings(this.readings, from, to, this.sensor.maxGapMs);
    const own = this.shownExcursions(from).filter((excursion) => excursion.sensor === this.sensor.id);
    const limits = this.bands.filter((band) => LIMITS_OF_READINGS.has(band.kind));
    return { columns, isBand, from, to, shaded: shadedSpans(own, from, to), limits: limits.length > 0 ? limits : this.bands };
  }

  /** Excursions of the unit within the range, newest first. */
  shownExcursions(from) {
    return [...this.excursions.values()]
      .filter((excursion) => excursion.endedAt === null || excursion.endedAt > from)
      .sort((one, other) => other.startedAt - one.startedAt);
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
