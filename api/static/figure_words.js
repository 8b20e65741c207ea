// The figures of an excursion in words, unknown and suppressed time never left out. Pure.

import { degreesSign, durationWords, exactTemperature, momentWords, secondsWords, dayWords, temperatureWords, zoneWords } from "./words.js";

const NARROW = "\u202f";

/** "2 h 10 min out of range, 35 min unknown": as far as it is told; what was suppressed only where there is some. */
export function exposureWords({ exposureMs, unknownMs, suppressedMs }) {
  const parts = [];
  if (exposureMs !== null) parts.push(`${durationWords(exposureMs)} out of range`);
  const unknown = unknownWords({ unknownMs });
  if (unknown) parts.push(unknown);
  else if (unknownMs !== null && parts.length > 0) parts.push("nothing unknown");
  if (suppressedMs) parts.push(`${durationWords(suppressedMs)} suppressed`);
  return parts.join(", ");
}

/** "35 min unknown", or nothing where everything was known or is not told. */
export function unknownWords({ unknownMs }) {
  return unknownMs !== null && unknownMs >= 1000 ? `${durationWords(unknownMs)} unknown` : "";
}

/** "13.5 °C·min above 8 °C". */
export function degreeMinuteWords({ degreeMinutes, side, limit }, degrees) {
  if (degreeMinutes === null) return "";
  const shown = degrees === "fahrenheit" ? degreeMinutes * 1.8 : degreeMinutes;
  const beyond = limit === null ? "" : ` ${side === "low" ? "below" : "above"} ${exactTemperature(limit, degrees)}`;
  return `${shown.toLocaleString("en-GB", { maximumFractionDigits: 1 })}${NARROW}${degreesSign(degrees)}·min${beyond}`;
}

/** "peak 9.4 °C" or "lowest 1.2 °C". */
export function peakWords({ peak, side }, degrees) {
  return peak === null ? "" : `${side === "low" ? "lowest" : "peak"} ${temperatureWords(peak, degrees)}`;
}

/** "24 Nov, 10:02:31": an instant to the second. */
export function exactMoment(at, zone) {
  return `${dayWords(at, zone)}, ${secondsWords(at, zone)}`;
}

/** "24 Nov, 10:02:31 to 12:10:00 GMT+1 (2 h 07 min)", or since when where there is no end. */
export function stretchWords(from, to, zone) {
  if (to === null) return `since ${exactMoment(from, zone)} ${zoneWords(from, zone)}`;
  const end = dayWords(from, zone) === dayWords(to, zone) ? secondsWords(to, zone) : exactMoment(to, zone);
  return `${exactMoment(from, zone)} to ${end} ${zoneWords(to, zone)} (${durationWords(to - from)})`;
}

/** Everything of an excursion in one sentence: what a bar of the timeline tells. */
export function excursionWords(excursion, kind, { zone, degrees }) {
  const state = { open: "open", closed: "closed", voided: "voided, no longer believed" }[kind];
  const figures = [peakWords(excursion, degrees), exposureWords(excursion), degreeMinuteWords(excursion, degrees)].filter(Boolean).join("; ");
  return `${excursion.band}, ${excursion.severity}, ${state}: ${stretchWords(excursion.startedAt, excursion.endedAt, zone)}. ${capital(figures)}${figures ? "." : ""}`.trim();
}

/** "Unknown: 24 Nov, 10:02:31 to 12:10:00 GMT+1 (2 h 07 min). No reading came.", several stretches added up. */
export function unknownStretchWords(stretches, isOpen, zone) {
  const [from] = stretches[0];
  const [, to] = stretches.at(-1);
  const faults = [...new Set(stretches.map(([, , fault]) => fault).filter(Boolean))];
  const ofProbe = faults.filter((fault) => fault !== "flagged").map((fault) => fault.replaceAll("_", " "));
  const causes = [ofProbe.length > 0 && `Probe fault: ${ofProbe.join(", ")}.`, faults.includes("flagged") && "Readings were flagged as not to be believed."].filter(Boolean);
  const why = causes.join(" ") || "No reading came.";
  const ms = stretches.reduce((sum, [start, end]) => sum + end - start, 0);
  const many = stretches.length > 1 ? `${stretches.length} stretches, ${durationWords(ms)} in all; ` : "";
  return `Unknown: ${many}${stretchWords(from, isOpen ? null : to, zone)}. ${why}`;
}

/** "Offline: since 24 Nov, 10:02:31 GMT+1". */
export function conditionWords(condition, title, zone) {
  const band = condition.band ? `, ${condition.band}` : "";
  return `${title}${band}: ${stretchWords(condition.startedAt, condition.endedAt, zone)}.`;
}

/** "as of 14:02": when running figures were written; nothing for final ones. */
export function asOfWords(excursion, now, zone) {
  return excursion.asOf === null ? "" : `Figures as of ${momentWords(excursion.asOf, now, zone)}.`;
}

function capital(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
