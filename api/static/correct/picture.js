// The picture of a preview: a series before and after a correction over one time axis, and under it the excursions of either. Draws what it is given.

import { fromReadings } from "../spans.js";
import { clockWords, dayWords, inDegrees } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const PLOT_HEIGHT = 150;
const ROW_HEIGHT = 22;
const LEFT = 46;
const RIGHT = 10;
const TOP = 8;
const AXIS = 22;
const LEAST_BAR = 4;
/** More points than these could not be told apart. */
const POINTS_PER_PIXEL = 2;
const TWO_DAYS_MS = 2 * 86_400_000;

/**
 * @param {{before: object[], after: object[], maxGapMs: number|null, limitsBefore: object[], limitsAfter: object[], changes: object[], from: number, to: number,
 *   width: number, label: string}} told readings of both, limits as {limit, side}
 * @param {{zone: string, degrees: string}} view
 */
export function previewPicture(told, view) {
  const { from, to, width } = told;
  const before = fromReadings(told.before, from, to, told.maxGapMs);
  const after = fromReadings(told.after, from, to, told.maxGapMs);
  const rows = [["Before", told.changes.map((change) => [change, change.before])], ["After", told.changes.map((change) => [change, change.after])]];
  const height = TOP + PLOT_HEIGHT + AXIS + rows.length * ROW_HEIGHT;
  const root = node("svg", { class: "preview-picture", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told.label });
  const x = (at) => LEFT + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * (width - LEFT - RIGHT);
  const range = rangeOf([before, after], [...told.limitsBefore, ...told.limitsAfter]);
  const y = (celsius) => TOP + (1 - (celsius - range.low) / (range.high - range.low)) * PLOT_HEIGHT;
  root.append(...degreeAxis(range, y, width, view), ...timeAxis(from, to, x, width, view));
  root.append(...limitLines(told.limitsBefore, y, width, "before", told.limitsAfter), ...limitLines(told.limitsAfter, y, width, "after", []));
  root.append(line(before, x, y, width, "before"), line(after, x, y, width, "after"));
  rows.forEach(([title, bars], row) => {
    const top = TOP + PLOT_HEIGHT + AXIS + row * ROW_HEIGHT;
    root.append(node("text", { class: "tick", x: LEFT - 6, y: top + 14, "text-anchor": "end" }, title));
    root.append(node("rect", { class: "track", x: LEFT, y: top + 3, width: width - LEFT - RIGHT, height: ROW_HEIGHT - 8, rx: 3 }));
    for (const [change, facts] of bars) if (facts && facts.startedAt < to && (facts.endedAt ?? to) > from) root.append(bar(change, facts, top, x, to));
  });
  return root;
}

function node(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function bar(change, facts, top, x, to) {
  const left = x(facts.startedAt);
  const width = Math.max(LEAST_BAR, x(facts.endedAt ?? to) - left);
  return node("rect", { class: "change", "data-outcome": change.outcome, "data-severity": change.severity, x: left.toFixed(1), y: top + 3, width: width.toFixed(1), height: ROW_HEIGHT - 8, rx: 3 });
}

/** A stepped line; it breaks where nothing is known. Of more points than there is room for every so many-th is drawn. */
function line(columns, x, y, width, name) {
  const parts = [];
  let last = null;
  const step = Math.max(1, Math.floor(columns.x.length / (width * POINTS_PER_PIXEL)));
  for (let index = 0; index < columns.x.length; index += step) {
    const value = columns.y[index];
    if (value === null) {
      last = null;
      continue;
    }
    const place = x(columns.x[index]).toFixed(1);
    const height = y(value).toFixed(1);
    parts.push(last === null || isBroken(columns, index, step) ? `M${place} ${height}` : `H${place}V${height}`);
    last = value;
  }
  return node("path", { class: `series ${name}`, d: parts.join(""), fill: "none" });
}

/** Whether nothing is known somewhere between a point that is drawn and the one drawn before it. */
function isBroken(columns, index, step) {
  if (step === 1) return false;
  for (let place = index - step + 1; place < index; place += 1) if (columns.y[place] === null) return true;
  return false;
}

function rangeOf(all, limits) {
  const values = all.flatMap(({ lowest, highest }) => (lowest === null ? [] : [lowest, highest]));
  const low = Math.min(...values, ...limits.map((one) => one.limit));
  const high = Math.max(...values, ...limits.map((one) => one.limit));
  if (!Number.isFinite(low)) return { low: 0, high: 10 };
  const margin = Math.max((high - low) * 0.08, 0.4);
  return { low: low - margin, high: high + margin };
}

function limitLines(limits, y, width, name, same) {
  return limits
    .filter((one) => name === "after" || !same.some((other) => other.limit === one.limit))
    .map((one) => node("line", { class: `limit ${name}`, x1: LEFT, x2: width - RIGHT, y1: y(one.limit).toFixed(1), y2: y(one.limit).toFixed(1) }));
}

function degreeAxis(range, y, width, { degrees }) {
  return [0.1, 0.5, 0.9].flatMap((share) => {
    const celsius = range.low + share * (range.high - range.low);
    const place = y(celsius).toFixed(1);
    const shown = String(Math.round(inDegrees(celsius, degrees) * 10) / 10).replace("-", "\u2212");
    return [node("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: place, y2: place }), node("text", { class: "tick", x: LEFT - 6, y: Number(place) + 4, "text-anchor": "end" }, shown)];
  });
}

function timeAxis(from, to, x, width, { zone }) {
  const words = (at) => (to - from > TWO_DAYS_MS ? dayWords(at, zone) : clockWords(at, zone));
  const shares = width < 420 ? [0.12, 0.5, 0.88] : [0.08, 0.29, 0.5, 0.71, 0.92];
  return shares.map((share) => {
    const at = from + share * (to - from);
    return node("text", { class: "tick", x: x(at).toFixed(1), y: TOP + PLOT_HEIGHT + 15, "text-anchor": "middle" }, words(at));
  });
}
