// A preview as it is shown before anything is confirmed: words, each excursion that would change, and the picture of before and after.

import { make } from "../dom.js";
import { fetchReadings } from "../rest_unit.js";
import { readingsAfter } from "./after.js";
import { previewPicture } from "./picture.js";
import { changeWords, OUTCOMES, summaryWords } from "./preview_words.js";
import { fetchCalibrations } from "./rest.js";

/** A longer stretch is not drawn whole: its beginning is. */
const PICTURE_AT_MOST_MS = 31 * 86_400_000;
const HOUR = 3_600_000;
const LEAST_WIDTH = 280;

/** Everything the picture needs beside the preview itself. */
export async function fetchPicture(order, preview, { sensor, now, bands, versions }) {
  const { from, to, isCut } = reach(order, preview, now);
  const lead = sensor?.maxGapMs ?? HOUR;
  const read = (id) => fetchReadings(id, from - lead, to, null);
  const [before, others, calibrations] = await Promise.all([
    sensor === null ? [] : read(sensor.id),
    order.kind === "swap" ? read(order.other) : [],
    order.kind === "calibration" ? fetchCalibrations(order.sensor) : [],
  ]);
  const limitsBefore = bands.filter((band) => band.limit !== undefined);
  const limitsAfter = order.kind === "policy" ? (versions.find((version) => version.id === order.policy_version)?.bands ?? []) : limitsBefore;
  return { before, after: readingsAfter(before, order, { calibrations, others }), limitsBefore, limitsAfter, maxGapMs: sensor?.maxGapMs ?? null, changes: preview.changes, from, to, isCut };
}

/** What is drawn: the stretch and every excursion that changes, with a margin, up to now. */
function reach(order, { changes }, now) {
  const facts = changes.flatMap((change) => [change.before, change.after]).filter((one) => one !== null);
  const start = Math.min(Date.parse(order.from), ...facts.map((one) => one.startedAt));
  const ends = [order.to ? Date.parse(order.to) : now, ...facts.map((one) => one.endedAt ?? now)];
  const end = Math.min(now, Math.max(...ends));
  const margin = Math.max((end - start) * 0.12, HOUR);
  const from = start - margin;
  const to = Math.min(now, end + margin);
  return { from, to: Math.min(to, from + PICTURE_AT_MOST_MS), isCut: to > from + PICTURE_AT_MOST_MS };
}

/** @param {object} preview @param {object|null} picture of fetchPicture, null where it could not be drawn @param {{zone: string, degrees: string, unit: number, nameOf: (unit: number) => string, width: number}} view */
export function previewNodes(preview, picture, view) {
  const summary = summaryWords(preview);
  const groups = Object.keys(OUTCOMES).map((outcome) => [outcome, preview.changes.filter((change) => change.outcome === outcome)]);
  return [
    make("p", { class: "preview-sum" }, summary),
    ...groups
      .filter(([, changes]) => changes.length > 0)
      .map(([outcome, changes]) =>
        make(
          "div",
          { class: "preview-group", "data-outcome": outcome },
          make("h4", {}, OUTCOMES[outcome].title),
          make("ul", {}, changes.map((change) => make("li", {}, changeWords(change, view)))),
        ),
      ),
    ...(picture === null ? [make("p", { class: "quiet" }, "The picture could not be drawn: its readings could not be loaded.")] : pictureNodes(picture, summary, view)),
  ];
}

function pictureNodes(picture, summary, view) {
  const label = `Before and after the correction. ${summary}`;
  const keys = [["before", "Before"], ["after", "After"], ["new", "Gained"], ["voided", "Lost"], ["changed", "Changed"]];
  return [
    previewPicture({ ...picture, label, width: Math.max(LEAST_WIDTH, view.width) }, view),
    make("ul", { class: "legend preview-legend" }, keys.map(([key, words]) => make("li", {}, make("span", { class: `key preview-key-${key}` }), words))),
    picture.isCut && make("p", { class: "quiet" }, "The picture shows the first 31 days of it; the list above has everything."),
  ].filter(Boolean);
}
