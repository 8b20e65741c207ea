// What is known when: from readings or buckets to the columns a chart draws and the spans in which nothing is known. Pure.

/** A bucket of which less than this share is known is hatched. */
const KNOWN_SHARE = 0.9;

/**
 * A value holds from its reading to the next one or fault mark, at most for the max gap (excursions.md section 2).
 * @param {{measuredAt: number, temperature: number|null, fault: string|null}[]} readings in order of measuredAt
 * @returns {{x: number[], y: (number|null)[], unknown: [number, number, string|null][], lowest: number|null, highest: number|null, knownMs: number}}
 *   an unknown stretch has the fault mark that began it, null where no reading came
 */
export function fromReadings(readings, from, to, maxGapMs) {
  const x = [];
  const y = [];
  const unknown = [];
  let knownUntil = from;
  let fault = null;
  let lowest = null;
  let highest = null;
  const told = readings.filter((reading) => reading.temperature !== null || reading.fault !== null);
  told.forEach((reading, index) => {
    const start = Math.max(reading.measuredAt, from);
    const following = told[index + 1];
    const next = following ? following.measuredAt : to;
    const end = Math.min(next, to, maxGapMs === null ? Infinity : reading.measuredAt + maxGapMs);
    if (reading.temperature === null) {
      if (start > knownUntil && start < to) unknown.push([knownUntil, start, fault]);
      knownUntil = Math.max(knownUntil, Math.min(start, to));
      fault = reading.fault;
      return;
    }
    if (end <= start) return;
    if (start > knownUntil) unknown.push([knownUntil, start, fault]);
    if (unknown.length > 0 && unknown[unknown.length - 1][1] === start) breakLine(x, y);
    fault = null;
    x.push(start);
    y.push(reading.temperature);
    // The value holds to its end: the line must not fall short of it, nor lean towards a reading that comes after unknown time.
    if (end < next || end === to || following?.temperature === null) {
      x.push(end);
      y.push(reading.temperature);
    }
    knownUntil = end;
    lowest = lowest === null ? reading.temperature : Math.min(lowest, reading.temperature);
    highest = highest === null ? reading.temperature : Math.max(highest, reading.temperature);
  });
  if (knownUntil < to) unknown.push([knownUntil, to, fault]);
  return { x, y, unknown, lowest, highest, knownMs: to - from - total(unknown) };
}

/**
 * @param {{from: number, to: number, knownMs: number, lowest: number|null, highest: number|null, mean: number|null}[]} buckets in order
 * @returns {{x: number[], low: (number|null)[], high: (number|null)[], mean: (number|null)[], unknown: [number, number][],
 *   lowest: number|null, highest: number|null, knownMs: number}}
 */
export function fromBuckets(buckets, from, to) {
  const columns = { x: [], low: [], high: [], mean: [], unknown: [], lowest: null, highest: null, knownMs: 0 };
  let coveredUntil = from;
  for (const bucket of buckets) {
    if (bucket.to <= from || bucket.from >= to) continue;
    columns.knownMs += (bucket.knownMs * (Math.min(bucket.to, to) - Math.max(bucket.from, from))) / (bucket.to - bucket.from);
    if (bucket.from > coveredUntil) {
      addSpan(columns.unknown, coveredUntil, bucket.from);
      addBucket(columns, coveredUntil + 1, null);
    }
    coveredUntil = bucket.to;
    if (bucket.knownMs < KNOWN_SHARE * (bucket.to - bucket.from)) addSpan(columns.unknown, bucket.from, bucket.to);
    addBucket(columns, (bucket.from + bucket.to) / 2, bucket.mean === null ? null : bucket);
    if (bucket.lowest === null) continue;
    columns.lowest = columns.lowest === null ? bucket.lowest : Math.min(columns.lowest, bucket.lowest);
    columns.highest = columns.highest === null ? bucket.highest : Math.max(columns.highest, bucket.highest);
  }
  if (coveredUntil < to) addSpan(columns.unknown, coveredUntil, to);
  return columns;
}

/** Columns of buckets that go on with readings that came after they were fetched: these are columns of fromReadings from where the buckets end. */
export function goOn(columns, tail) {
  columns.x.push(...tail.x);
  for (const name of ["low", "high", "mean"]) columns[name].push(...tail.y);
  for (const [from, to] of tail.unknown) addSpan(columns.unknown, from, to);
  columns.knownMs += tail.knownMs;
  if (tail.lowest === null) return columns;
  columns.lowest = columns.lowest === null ? tail.lowest : Math.min(columns.lowest, tail.lowest);
  columns.highest = columns.highest === null ? tail.highest : Math.max(columns.highest, tail.highest);
  return columns;
}

/** Excursions as spans of a chart; an open one lasts until `to`. */
export function shadedSpans(excursions, from, to) {
  return excursions
    .map((excursion) => ({ from: Math.max(excursion.startedAt, from), to: Math.min(excursion.endedAt ?? to, to), isOpen: excursion.closedAt === null }))
    .filter((span) => span.to > span.from);
}

/** Milliseconds in spans. */
export function total(spans) {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0);
}

function breakLine(x, y) {
  if (x.length === 0) return;
  x.push(x[x.length - 1] + 1);
  y.push(null);
}

function addBucket(columns, at, bucket) {
  columns.x.push(at);
  columns.low.push(bucket?.lowest ?? null);
  columns.high.push(bucket?.highest ?? null);
  columns.mean.push(bucket?.mean ?? null);
}

function addSpan(spans, from, to) {
  const last = spans[spans.length - 1];
  if (last && last[1] >= from) last[1] = to;
  else spans.push([from, to, null]);
}
