// Conditions of a unit in words: what stands, since when, and by what limit it was judged. Takes terms as the policy in force has them; pure.

import { spanOf } from "./band_words.js";
import { exactMoment, stretchWords } from "./figure_words.js";
import { durationWords, exactTemperature, zoneWords } from "./words.js";

const ENDED_BY = { recovery: "it is over", opened: "it became an excursion", terms: "the policy no longer judges it", assignment: "the sensor left the unit",
  rebuilt: "the log no longer bears it out" };

/** "Since 24 Nov, 10:02:31 GMT+1 (2 h 07 min)", or from when to when and why it ended. */
export function conditionTimes(condition, now, zone) {
  const { startedAt, endedAt, endedBy } = condition;
  if (endedAt === null) return `Since ${exactMoment(startedAt, zone)} ${zoneWords(startedAt, zone)} (${durationWords(now - startedAt)})`;
  const why = ENDED_BY[endedBy];
  return `${stretchWords(startedAt, endedAt, zone)}${why && endedBy !== "recovery" ? `; ended as ${why}` : ""}`;
}

/** What was seen: "12 %, 2.93 V". Nothing where nothing more is told. */
export function seenWords({ kind, detail }, degrees) {
  if (detail === null) return "";
  switch (kind) {
    case "battery_low":
      return [has(detail.percent) && `${detail.percent} %`, has(detail.millivolts) && `${(detail.millivolts / 1000).toFixed(2)} V`].filter(Boolean).join(", ");
    case "door_open":
      return has(detail.known_ms) ? `Known to be open for ${spanOf(Math.round(detail.known_ms / 1000))} when it was told` : "";
    case "frozen_value":
      return has(detail.raw_temperature) ? `${exactTemperature(detail.raw_temperature / 100, degrees)} in ${detail.readings} readings, before calibration` : "";
    case "sensor_fault":
      return has(detail.reason) ? `The probe says: ${String(detail.reason).replaceAll("_", " ")}` : "";
    case "clock_wrong":
      return has(detail.count) ? `${detail.count} uplinks rejected` : "";
    default:
      return "";
  }
}

/** By what it is judged: "Limit: below 20 %, 6 readings in a row". `offlineAfterMs` is the sensor configuration's. */
export function limitOfCondition(condition, terms, { offlineAfterMs }) {
  const { kind, band } = condition;
  const own = terms[kind] ?? {};
  switch (kind) {
    case "offline":
      return offlineAfterMs === null ? "" : `Limit: nothing heard for ${spanOf(offlineAfterMs / 1000)}`;
    case "possible_excursion":
      return band ? `Limit: out of range and unknown time together reach what ${band} asks for` : "";
    default:
      return own.enabled ? termsWords(kind, own) : "";
  }
}

function termsWords(kind, own) {
  switch (kind) {
    case "battery_low": {
      const limits = [own.low_percent && `${own.low_percent} %`, own.low_volts && `${own.low_volts} V`].filter(Boolean).join(" or ");
      return limits && `Limit: below ${limits}, ${own.readings} readings in a row`;
    }
    case "door_open":
      return `Limit: open for longer than ${spanOf(own.open_seconds)}`;
    case "frozen_value":
      return `Limit: the same value for ${spanOf(own.after_seconds)} and ${own.readings} readings, though it used to vary`;
    case "sensor_fault":
      return `Limit: ${own.marks === 1 ? "one fault" : `${own.marks} faults in a row`}, until the next reading`;
    case "clock_wrong":
      return `Limit: ${own.rejections} uplinks with an impossible time within ${spanOf(own.within_seconds)}; over after ${spanOf(own.quiet_seconds)} without`;
    default:
      return "";
  }
}

/** Who is told. */
export function alertWords({ alert }) {
  return { none: "Shown only; nobody is told", warning: "Told as a warning", critical: "Told as critical" }[alert] ?? "";
}

function has(value) {
  return value !== null && value !== undefined;
}
