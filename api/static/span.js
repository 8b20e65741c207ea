// Which stretch of time the timeline shows: one that follows the present, or one that stands. Pure; times in ms.
//
// `horizon` is how far there is anything to show: now, or the instant as of which the panel is drawn. A span whose `end` is null ends there.

import { spanOf } from "./band_words.js";
import { momentWords, zoneWords } from "./words.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const PRESETS = {
  "1h": { ms: HOUR, words: "hour" },
  "24h": { ms: 24 * HOUR, words: "24 hours" },
  "7d": { ms: 7 * DAY, words: "7 days" },
  "30d": { ms: 30 * DAY, words: "30 days" },
};

export const SHORTEST_MS = 5 * MINUTE;
export const LONGEST_MS = 92 * DAY;

/** Share of a span that may be missing to the horizon. */
const NEARLY = 0.05;

/** Above this many readings buckets are asked for. */
const READINGS_AT_MOST = 3_000;
/** Of a longer stretch single readings could not be told apart on a screen. */
const LONGEST_OF_READINGS_MS = 2 * DAY;
/** About as many buckets as a chart has pixels. */
const BUCKETS_WANTED = 900;
const BUCKET_SECONDS = [10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800];

/** A span of a preset's length that ends with the present. */
export function following(preset) {
  return { ms: PRESETS[preset].ms, end: null, preset };
}

/** From when to when a span reaches. */
export function boundsOf(span, horizon) {
  const to = span.end === null ? horizon : Math.min(span.end, horizon);
  return { from: to - span.ms, to };
}

/** The stretch of the same length before. */
export function earlier(span, horizon) {
  return { ...span, end: boundsOf(span, horizon).from };
}

/** The stretch of the same length after; one that would nearly reach the horizon follows it, for that has moved on since the way back began. */
export function later(span, horizon) {
  if (span.end === null) return span;
  const end = span.end + span.ms;
  return { ...span, end: end >= horizon - span.ms * NEARLY ? null : end };
}

/** The span of a stretch, made longer or shorter where it could not be shown, about its middle. */
export function across(from, to, horizon) {
  const ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, to - from));
  const end = (from + to) / 2 + ms / 2;
  const [preset = null] = Object.keys(PRESETS).filter((name) => Math.abs(PRESETS[name].ms - ms) < 1_000);
  return { ms, end: end >= horizon ? null : end, preset };
}

/** A stretch with some of what was before and after it. */
export function around(from, to, horizon) {
  const margin = Math.max((to - from) * 0.35, 15 * MINUTE);
  return across(from - margin, to + margin, horizon);
}

/** A span `factor` times as long, in which `at` stays where it is; null for the end that is shown. */
export function zoomed(span, factor, at, horizon) {
  const { from, to } = boundsOf(span, horizon);
  const fixed = at === null ? to : Math.min(to, Math.max(from, at));
  const ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, span.ms * factor));
  const start = fixed - ((fixed - from) / span.ms) * ms;
  return across(start, start + ms, horizon);
}

/** Whether there is anything of a stretch in a span. */
export function touches(bounds, from, to) {
  return from < bounds.to && to > bounds.from;
}

/** How a span's values are asked for: null for every reading, or the width of buckets in seconds. */
export function bucketSecondsOf(ms, intervalMs) {
  const areFew = intervalMs === null ? ms <= HOUR : ms / intervalMs <= READINGS_AT_MOST;
  if (areFew && ms <= LONGEST_OF_READINGS_MS) return null;
  return BUCKET_SECONDS.find((seconds) => ms / 1000 / seconds <= BUCKETS_WANTED) ?? BUCKET_SECONDS.at(-1);
}

/** "the last 24 hours", "24 Nov, 10:00 to 25 Nov, 02:00 GMT+1"; with `isSaidOf` "in the last 24 hours", "from 24 Nov, 10:00 to ...". */
export function spanWords(span, horizon, { now, zone, knownAt }, isSaidOf = false) {
  if (span.end === null && knownAt === null) return `${isSaidOf ? "in " : ""}the last ${span.preset ? PRESETS[span.preset].words : spanOf(Math.round(span.ms / MINUTE) * 60)}`;
  const { from, to } = boundsOf(span, horizon);
  return `${isSaidOf ? "from " : ""}${momentWords(from, now, zone)} to ${momentWords(to, from, zone)} ${zoneWords(to, zone)}`;
}
