// The timeline of one sensor: chart, lanes, legend, and the ways through time. Draws what the history holds; asks for nothing itself.

import { Chart } from "./chart.js";
import { element, setData, setText } from "./dom.js";
import { exactMoment } from "./figure_words.js";
import { lanesOf } from "./lanes.js";
import { across, around, boundsOf, earlier, following, later, spanWords, touches, zoomed, LONGEST_MS, SHORTEST_MS } from "./span.js";
import { TimelineLanes } from "./timeline_lanes.js";
import { valueAt } from "./unit_history.js";
import { counted, durationWords, temperatureWords } from "./words.js";

const HINT = "Point at a bar for its times and figures, or go from bar to bar with Tab and the arrow keys.";

export class Timeline {
  /**
   * @param {Object<string, HTMLElement>} parts of the panel
   * @param {import("./unit_history.js").UnitHistory} history
   * @param {string} preset the span to begin with
   * @param {{onSpan: () => void, onRetry: () => void, onPick: (from: number, to: number) => boolean, addressOf: (excursion: object) => string}} hooks
   *   `onSpan` is told that another span is wanted; `onPick` may take a stretch that was dragged over for itself
   */
  constructor(parts, history, preset, hooks) {
    this.parts = parts;
    this.history = history;
    this.hooks = hooks;
    this.preset = preset;
    this.span = following(preset);
    this.hoverAt = null;
    this.picture = null;
    this.chart = new Chart(parts.chart, {
      onHover: (at) => this.hover(at),
      onSelect: (from, to) => hooks.onPick(from, to) || this.setSpan(across(from, to, this.horizon())),
      onReset: () => this.setSpan(following(this.preset)),
    });
    this.lanes = new TimelineLanes(parts.lanes, {
      onTell: (words) => this.tell(words),
      onStretch: (from, to) => this.goTo(from, to),
      addressOf: hooks.addressOf,
    });
    this.tell(null);
    this.listen();
  }

  tell(words) {
    setText(this.parts.told, words ?? HINT);
    setData(this.parts.told, "quiet", words === null ? "yes" : "no");
  }

  destroy() {
    this.chart.destroy();
  }

  listen() {
    const { parts } = this;
    for (const input of parts.ranges.querySelectorAll("input")) {
      input.addEventListener("change", () => this.setSpan(following(input.value)));
    }
    const moves = {
      earlier: () => earlier(this.span, this.horizon()),
      later: () => later(this.span, this.horizon()),
      nearer: () => zoomed(this.span, 0.5, this.hoverAt, this.horizon()),
      wider: () => zoomed(this.span, 2, this.hoverAt, this.horizon()),
      present: () => ({ ...this.span, end: null }),
    };
    for (const [name, move] of Object.entries(moves)) parts[name].addEventListener("click", () => this.setSpan(move()));
    const keys = { PageUp: "earlier", PageDown: "later", "+": "nearer", "=": "nearer", "-": "wider", End: "present" };
    parts.chart.addEventListener("keydown", (event) => {
      const name = keys[event.key];
      if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (!parts[name].disabled) this.setSpan(moves[name]());
    });
  }

  horizon() {
    return this.view.knownAt ?? this.view.now;
  }

  setSpan(span) {
    this.span = span;
    this.preset = span.preset ?? this.preset;
    this.hooks.onSpan();
  }

  /** Show a stretch with some of what was around it. */
  goTo(from, to) {
    this.setSpan(around(from, to ?? this.horizon(), this.horizon()));
  }

  /** Show a stretch unless some of it is in sight. */
  bringIntoView(from, to) {
    if (!touches(boundsOf(this.span, this.horizon()), from, to ?? this.horizon())) this.goTo(from, to);
  }

  /** What is shown as known earlier cannot reach beyond that. */
  keepWithin(knownAt) {
    if (knownAt !== null && this.span.end !== null && this.span.end >= knownAt) this.span = { ...this.span, end: null };
  }

  /** @param {{now: number, knownAt: number|null, zone: string, degrees: string, unitName: string, sensor: object|null, excursion: string|null, marked: {from: number, to: number}|null}} view */
  show(view) {
    this.view = view;
    this.showMoves();
    const picture = this.history.picture(view.now);
    this.showNote(picture);
    setData(this.parts.figure, "loading", picture === null ? "yes" : "no");
    if (picture === null) return;
    this.picture = picture;
    this.chart.show({ ...picture, marked: view.marked, zone: view.zone, degrees: view.degrees });
    const isLive = view.knownAt === null && this.span.end === null;
    const breachingSince = isLive && view.sensor?.state === "breaching" ? view.sensor.since : null;
    this.lanes.show(lanesOf({ ...picture, breachingSince }), { ...view, from: picture.from, to: picture.to, chosen: view.excursion, insets: this.chart.insets() });
    this.showSum(picture);
    this.showLegend(picture);
    this.showReadout();
  }

  showMoves() {
    const { parts, span } = this;
    for (const input of parts.ranges.querySelectorAll("input")) {
      const isChosen = input.value === span.preset;
      if (input.checked !== isChosen) input.checked = isChosen;
    }
    const isAtEnd = span.end === null;
    setDisabled(parts.later, isAtEnd);
    setDisabled(parts.present, isAtEnd);
    setDisabled(parts.nearer, span.ms <= SHORTEST_MS);
    setDisabled(parts.wider, span.ms >= LONGEST_MS);
    setText(parts.present, this.view.knownAt === null ? "Now" : "Latest");
  }

  /** The span in words; with `isSaidOf` as what follows "No readings". */
  words(isSaidOf = false) {
    return spanWords(this.span, this.horizon(), this.view, isSaidOf);
  }

  /** What stands in the way of a picture, and what to do about it. */
  showNote(picture) {
    const { sensor, zone } = this.view;
    const { trouble } = this.history;
    if (sensor === null) return this.note("No sensor watches this unit, so nothing is known of it. Assign one in the set-up.", null);
    if (trouble !== null && picture === null) return this.note(`The timeline could not be loaded. ${trouble.message}`, ["Try again", () => this.hooks.onRetry()]);
    if (picture === null) return this.note("Loading…", null);
    if (picture.columns.lowest !== null) return this.note("", null);
    const newest = sensor.measuredAt > 0 ? sensor.measuredAt : null;
    if (newest === null) return this.note("No reading has come from this sensor yet. “Why is it not showing?” below says what stands in the way.", null);
    if (newest >= picture.from) return this.note(`No readings ${this.words(true)}.`, null);
    return this.note(`No readings ${this.words(true)}. The newest was measured ${exactMoment(newest, zone)}.`, ["Go to the newest", () => this.goTo(newest - 3_600_000, newest)]);
  }

  note(words, action) {
    const key = `${words}/${action?.[0] ?? ""}`;
    setData(this.parts.note, "empty", words === "" ? "yes" : "no");
    if (this.noteKey === key) {
      this.noteAction = action?.[1];
      return;
    }
    this.noteKey = key;
    this.noteAction = action?.[1];
    this.parts.note.replaceChildren(element("span", "", words));
    if (!action) return;
    const button = element("button", "button small", action[0]);
    button.type = "button";
    button.addEventListener("click", () => this.noteAction?.());
    this.parts.note.append(button);
  }

  showSum({ columns, from, to, shaded, excursions }) {
    const known = (100 * columns.knownMs) / (to - from);
    const unknownMs = to - from - columns.knownMs;
    const share = known > 99.95 || known < 0.05 ? known.toFixed(0) : known.toFixed(1);
    const { degrees, unitName, knownAt, zone } = this.view;
    const range = columns.lowest === null ? "" : `${temperatureWords(columns.lowest, degrees)} to ${temperatureWords(columns.highest, degrees)}, `;
    const sum = `${range}known ${share} % of the time${unknownMs >= 1000 ? `, unknown ${durationWords(unknownMs).replaceAll(" ", "\u00a0")}` : ""}`;
    setText(this.parts.sum, sum + suppressedSum(excursions));
    const then = knownAt === null ? "" : ` as known at ${exactMoment(knownAt, zone)}`;
    const label = `Temperature of ${unitName} over ${this.words()}${then}: ${sum}${suppressedSum(excursions)}; ${counted(shaded.length, "excursion", "excursions")}.`;
    if (this.label === label) return;
    this.label = label;
    this.parts.chart.setAttribute("aria-label", label);
  }

  showLegend({ isBand, columns, shaded, limits, voided, maintenance }) {
    const { degrees } = this.view;
    const keys = [["line", isBand ? "Mean" : "Reading"]];
    if (isBand) keys.push(["band", "Lowest to highest"]);
    const words = limits.map(({ side, limit, severity }) => `${side === "low" ? "Low" : "High"} ${temperatureWords(limit, degrees)}, ${severity}`);
    for (const one of new Set(words)) keys.push(["limit", one]);
    if (shaded.length > 0) keys.push(["shade", "Excursion"]);
    if (voided.length > 0) keys.push(["voided", "Voided"]);
    if (columns.unknown.length > 0) keys.push(["hatch", "Unknown"]);
    if (maintenance.length > 0) keys.push(["maintenance", "Maintenance"]);
    if (this.view.marked) keys.push(["marked", "To be corrected"]);
    const key = keys.join(";");
    if (this.legendKey === key) return;
    this.legendKey = key;
    this.parts.legend.replaceChildren(
      ...keys.map(([kind, words]) => {
        const item = element("li");
        item.append(element("span", `key key-${kind}`), document.createTextNode(words));
        return item;
      }),
    );
  }

  hover(at) {
    this.hoverAt = at;
    this.showReadout();
  }

  /** The value under the pointer, in words; without a pointer, what the chart shows. */
  showReadout() {
    if (!this.picture) return;
    const { degrees, zone } = this.view;
    if (this.hoverAt === null) {
      const words = this.words();
      setText(this.parts.readout, `${words.charAt(0).toUpperCase()}${words.slice(1)}`);
      return;
    }
    const when = exactMoment(this.hoverAt, zone);
    const value = valueAt(this.picture, this.hoverAt);
    if (value === null) setText(this.parts.readout, `${when}: unknown`);
    else if (this.picture.isBand) {
      const [lowest, mean, highest] = value.map((celsius) => temperatureWords(celsius, degrees));
      setText(this.parts.readout, `${when}: ${mean} (${lowest} to ${highest})`);
    } else setText(this.parts.readout, `${when}: ${temperatureWords(value[1], degrees)}`);
  }
}

/** ", suppressed 12 min 00 s": time out of range that a known cause excused; nothing where there is none. */
function suppressedSum(excursions) {
  const ms = excursions.reduce((sum, excursion) => sum + (excursion.suppressedMs ?? 0), 0);
  return ms >= 1000 ? `, suppressed ${durationWords(ms).replaceAll(" ", "\u00a0")}` : "";
}

function setDisabled(button, isDisabled) {
  if (button.disabled !== isDisabled) button.disabled = isDisabled;
}
