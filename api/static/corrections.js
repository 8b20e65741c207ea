// Corrections of the past as the timeline and the history of an excursion show them: who said what, when, and of which stretch. Pure; times in ms.

import { exactMoment } from "./figure_words.js";
import { degreesSign, zoneWords } from "./words.js";

const KINDS = {
  calibration: "Calibration corrected",
  flag: "Readings flagged as not to be believed",
  delete: "Readings deleted",
  assignment: "Assignment corrected",
  swap: "Sensors swapped",
  policy: "Policy corrected",
};

/** Corrections that had been made by an instant (null: now); one that was revoked later stood then. */
export function correctionsAsKnown(corrections, knownAt) {
  if (knownAt === null) return corrections;
  return corrections
    .filter((correction) => correction.madeAt <= knownAt)
    .map((correction) => (correction.revokedAt !== null && correction.revokedAt > knownAt ? { ...correction, revokedAt: null, revokedBy: null, revocation: "" } : correction));
}

/** Of an earlier instant: how many corrections of a stretch came, or were revoked, only after it. What was measured is told as corrected today. */
export function correctedSince(corrections, knownAt, from, to) {
  return correctionsOf(corrections, from, to).filter((correction) => correction.madeAt > knownAt || (correction.revokedAt !== null && correction.revokedAt > knownAt)).length;
}

/** Those that are about any of a stretch; `to` is null where it goes on. */
export function correctionsOf(corrections, from, to) {
  return corrections.filter((correction) => (to === null || correction.from < to) && (correction.to === null || correction.to > from));
}

/** "Calibration corrected to 0.3 °C, from 1 Nov, 00:00:00 on." */
export function correctionWords(correction, { zone, degrees }) {
  const what = KINDS[correction.kind] ?? `Corrected: ${correction.kind.replaceAll("_", " ")}`;
  const by = correction.calibration === null ? "" : ` to an offset of ${offsetWords(correction.calibration, degrees)}`;
  const until = correction.to === null ? "on" : `to ${exactMoment(correction.to, zone)}`;
  return `${what}${by}, from ${exactMoment(correction.from, zone)} ${until} ${zoneWords(correction.from, zone)}`;
}

/** "Ada Berg: “certificate 7”", and who revoked it and why. */
export function saidOf({ madeBy, comment, revokedAt, revokedBy, revocation }, zone) {
  const made = said(madeBy, comment);
  return revokedAt === null ? made : `${made}; revoked ${exactMoment(revokedAt, zone)}, ${said(revokedBy, revocation)}`;
}

function said(who, why) {
  return [who, why && `“${why}”`].filter(Boolean).join(": ");
}

/** A difference of temperatures: it has no zero to shift by. */
function offsetWords(celsius, degrees) {
  const shown = Number((degrees === "fahrenheit" ? celsius * 1.8 : celsius).toFixed(2));
  return `${String(shown).replace("-", "\u2212")}\u202f${degreesSign(degrees)}`;
}
