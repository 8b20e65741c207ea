// What came of a change, in words, and times and spans as the set-up page writes them: in the viewer's own time zone. Pure.

import { dayWords, momentWords, secondsWords, zoneWords } from "../words.js";

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** "14:03:05", with the day before it unless that is today. */
export function timeWords(text, now = Date.now()) {
  if (!text) return "–";
  const at = Date.parse(text);
  const seconds = secondsWords(at, ZONE);
  return momentWords(at, now, ZONE).includes(",") ? `${dayWords(at, ZONE)}${yearWords(at, now)}, ${seconds}` : seconds;
}

function yearWords(at, now) {
  const year = new Date(at).getFullYear();
  return year === new Date(now).getFullYear() ? "" : ` ${year}`;
}

/** "Europe/Berlin (GMT+1)", for what is typed as a time. */
export function zoneName() {
  return `${ZONE} (${zoneWords(Date.now(), ZONE)})`;
}

/** "Saved: takes effect at 14:03:05." */
export function outcomeWords(answer, verb = "Saved", now = Date.now()) {
  if (answer.outcome === "unchanged") return "Nothing to change: it is so already.";
  if (answer.effective_at && Date.parse(answer.effective_at) < now - BACK_MS) return `${verb}: holds from ${timeWords(answer.effective_at)} on.`;
  return answer.effective_at ? `${verb}: takes effect at ${timeWords(answer.effective_at)}.` : `${verb}: takes effect at once.`;
}

/** What lies further back than this was meant to: a change is never that late by itself. */
const BACK_MS = 60_000;

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** A number of seconds in the largest unit that divides it: [15, 60] for 900. */
export function inUnits(seconds) {
  for (const [size] of UNITS) if (seconds >= size && seconds % size === 0) return [seconds / size, size];
  return [seconds, 1];
}

/** "15 min", "10 h", "90 s". */
export function spanWords(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const [count, size] = inUnits(seconds);
  return `${count} ${UNITS.find(([own]) => own === size)?.[1] ?? "s"}`;
}

export const KIND_WORDS = { refrigerator: "Refrigerator", freezer: "Freezer", cold_room: "Cold room", shipment: "Shipment" };

/** "A8-40-41-00-01-81-C0-61": easier to compare with a label than 16 digits in a row. */
export function euiWords(eui) {
  return /^[0-9A-F]{16}$/.test(eui) ? eui.match(/../g).join("-") : eui;
}
