// Maintenance of a unit in words: its windows, and whose alarms would be told otherwise. Pure; times in ms.

import { exactMoment, stretchWords } from "../figure_words.js";
import { counted, durationWords, temperatureWords } from "../words.js";

export const OUTCOMES = {
  suppressed: { title: "Told no more", sum: "told no more" },
  told: { title: "Told after all", sum: "told after all" },
  moved: { title: "Told at another time", sum: "told at another time" },
};

/** Whether a window is "now", "planned" or "past". */
export function standingOf({ from, to }, now) {
  if (from > now) return "planned";
  return to > now ? "now" : "past";
}

/** "Ada: “new fan”; ended sooner, Ben: “done”". */
export function saidOf({ declaredBy, comment, endedAt, endedBy, endComment }) {
  const declared = said(declaredBy, comment);
  return endedAt === null ? declared : `${declared}; ended sooner, ${said(endedBy, endComment)}`;
}

function said(who, why) {
  return [who, why && `“${why}”`].filter(Boolean).join(": ");
}

/** "2 excursions would be told no more, 1 told after all." and how much was looked at for it. */
export function summaryWords({ changes, judged }) {
  const counts = Object.entries(OUTCOMES)
    .map(([outcome, { sum }]) => [changes.filter((change) => change.outcome === outcome).length, sum])
    .filter(([count]) => count > 0);
  const told = counts.map(([count, sum], place) => (place === 0 ? `${counted(count, "excursion", "excursions")} would be ${sum}` : `${count.toLocaleString("en-GB")} ${sum}`));
  const first = told.length === 0 ? "No alarm of the past would be told otherwise." : `${told.join(", ")}.`;
  return judged > 0 ? `${first} ${counted(judged, "row was", "rows were")} judged for this.` : first;
}

/** "high, 25 Nov, 10:20:00 to 11:10:00 CET (50 min 00 s), furthest 9.5 °C: told at 25 Nov, 10:35:00 now, then held back." */
export function changeWords({ band, startedAt, endedAt, openedBefore, openedAfter, peak, exposureMs }, { zone, degrees }) {
  const figures = [peak === null ? "" : `furthest ${temperatureWords(peak, degrees)}`, `${durationWords(exposureMs)} out of range`].filter(Boolean).join(", ");
  return `${band}, ${stretchWords(startedAt, endedAt, zone)}, ${figures}: ${toldWords(openedBefore, zone)} now, then ${toldWords(openedAfter, zone)}.`;
}

function toldWords(at, zone) {
  return at === null ? "held back" : `told at ${exactMoment(at, zone)}`;
}
