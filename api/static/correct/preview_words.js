// What a correction would change, in words: rows, and each excursion that is gained, lost or changed. Pure.

import { exactMoment, stretchWords } from "../figure_words.js";
import { counted, durationWords, temperatureWords } from "../words.js";

export const OUTCOMES = {
  new: { title: "Gained", one: "excursion gained" },
  voided: { title: "Lost", one: "excursion lost" },
  changed: { title: "Changed", one: "excursion changed" },
};

/** "2 excursions gained, 1 lost" with what is judged again. */
export function summaryWords({ changes, readings, judged }) {
  const parts = Object.entries(OUTCOMES)
    .map(([outcome, { title }]) => [changes.filter((change) => change.outcome === outcome).length, title.toLowerCase()])
    .filter(([count]) => count > 0)
    .map(([count, word], place) => (place === 0 ? `${counted(count, "excursion", "excursions")} ${word}` : `${count} ${word}`));
  const excursions = parts.length === 0 ? "No excursion would change" : parts.join(", ");
  return `${excursions}. The correction lies over ${counted(readings, "stored reading", "stored readings")}; ${counted(judged, "reading", "readings")} would be judged again.`;
}

/** One excursion: what it is now, what it would be. */
export function changeWords(change, { zone, degrees, nameOf, unit }) {
  const facts = change.after ?? change.before;
  const where = facts.unit === unit ? "" : ` at ${nameOf(facts.unit)}`;
  const title = `${change.band}, ${change.severity}${where}`;
  if (change.outcome !== "changed") return `${title}: ${factsWords(facts, change.side, zone, degrees)}`;
  return `${title}: ${differences(change, { zone, degrees, nameOf }).join("; ") || "its figures"}`;
}

function factsWords(facts, side, zone, degrees) {
  const peak = facts.peak === null ? "" : `, ${side === "low" ? "lowest" : "peak"} ${temperatureWords(facts.peak, degrees)}`;
  return `${stretchWords(facts.startedAt, facts.endedAt, zone)}${peak}, ${durationWords(facts.exposureMs)} out of range`;
}

function differences({ before, after }, { zone, degrees, nameOf }) {
  const end = (at) => (at === null ? "open" : exactMoment(at, zone));
  const lines = [
    ["unit", nameOf(before.unit), nameOf(after.unit)],
    ["started", exactMoment(before.startedAt, zone), exactMoment(after.startedAt, zone)],
    ["ended", end(before.endedAt), end(after.endedAt)],
    ["peak", temperatureWords(before.peak, degrees), temperatureWords(after.peak, degrees)],
    ["out of range", durationWords(before.exposureMs), durationWords(after.exposureMs)],
  ];
  return lines.filter(([, old, now]) => old !== now).map(([name, old, now]) => `${name} ${old} → ${now}`);
}
