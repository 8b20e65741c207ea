// Maintenance of the chosen unit in its panel: windows that hold, are planned or lie in the time shown, and the ways to declare, end and revoke one.

import { make, setHidden, setText } from "../dom.js";
import { exactMoment, stretchWords } from "../figure_words.js";
import { zoneWords } from "../words.js";
import { MaintenanceForm } from "./form.js";
import { pathOf } from "./rest.js";
import { saidOf, standingOf } from "./words.js";

const STANDING_WORDS = { now: "Now", planned: "Planned", past: "Past" };
const USUAL_MS = 2 * 3_600_000;
const FIVE_MINUTES_MS = 300_000;

export class MaintenanceSection {
  /**
   * @param {Object<string, HTMLElement>} parts of the panel
   * @param {{onDone: (judgedAgainAt: number|null) => void, onStretch: (from: number, to: number) => void, onError: (error: Error) => void}} hooks
   */
  constructor(parts, hooks) {
    this.parts = parts;
    this.hooks = hooks;
    this.key = null;
    this.form = null;
    parts.maintain.addEventListener("click", () => this.declare());
  }

  /** @param {object[]} windows @param {{unit: object, now: number, zone: string, degrees: string, knownAt: number|null, mayChange: boolean}} view */
  show(windows, view) {
    this.view = view;
    const mayChange = view.mayChange && view.knownAt === null;
    if (!mayChange && this.form !== null) this.form.close();
    setHidden(this.parts.maintain, !mayChange || this.form !== null);
    const told = windows.map((window) => ({ ...window, standing: standingOf(window, view.now) })).sort((one, other) => other.from - one.from);
    const key = JSON.stringify([told, view.zone, mayChange]);
    if (this.key === key) return;
    this.key = key;
    setText(this.parts["maintenance-count"], String(told.length));
    setHidden(this.parts["maintenance-none"], told.length > 0);
    this.parts["maintenance-list"].replaceChildren(...told.map((window) => this.item(window, mayChange)));
  }

  item(window, mayChange) {
    const words = stretchWords(window.from, window.to, this.view.zone);
    const way = (label, onclick) => make("button", { type: "button", class: "plain", "aria-label": `${label}: ${words}`, onclick }, label);
    return make(
      "li",
      { "data-window": window.id, "data-standing": window.standing },
      make("span", {}, make("b", {}, STANDING_WORDS[window.standing]), `, ${words}`),
      make("span", { class: "quiet" }, saidOf(window)),
      make(
        "span",
        { class: "list-ways" },
        window.standing !== "planned" && way("Show", () => this.hooks.onStretch(window.from, Math.min(window.to, this.view.now))),
        mayChange && window.standing === "now" && way("End", () => this.end(window)),
        mayChange && way("Revoke", () => this.revoke(window)),
      ),
    );
  }

  declare() {
    const { unit, zone, now } = this.view;
    this.open("declare", {
      title: `Declare maintenance of ${unit.name}`,
      says: `Alarms of operational bands that maintenance suppresses are held back meanwhile. A compliance band is judged and told as ever. Times are of ${zone}.`,
      path: pathOf("declare", { unit: unit.id }),
      fields: ["from", "to", "comment"],
      needed: ["to"],
      hints: { from: "Empty: as soon as it can, in about 8 seconds. Of the past, what was told is judged again." },
      values: { to: Math.ceil((now + USUAL_MS) / FIVE_MINUTES_MS) * FIVE_MINUTES_MS },
    });
  }

  end(window) {
    this.open("end", {
      title: "End this maintenance",
      says: `Declared until ${exactMoment(window.to, this.view.zone)} ${zoneWords(window.to, this.view.zone)}. What is out of range from its end on is told again.`,
      path: pathOf("end", { window: window.id }),
      fields: ["to", "comment"],
      needed: [],
      hints: { to: "Empty: as soon as it can, in about 8 seconds." },
      values: {},
    });
  }

  revoke(window) {
    this.open("revoke", {
      title: "Revoke this maintenance",
      says: `It is then as if ${stretchWords(window.from, window.to, this.view.zone)} had not been declared.`,
      path: pathOf("revoke", { window: window.id }),
      fields: ["comment"],
      needed: [],
      hints: {},
      values: {},
    });
  }

  open(kind, about) {
    const { zone, degrees } = this.view;
    if (this.form !== null) this.form.root.remove();
    setText(this.parts["maintenance-said"], "");
    this.form = new MaintenanceForm(
      { ...about, zone, degrees },
      { onDone: (answer) => this.done(kind, answer), onClose: () => this.closed(), onError: (error) => this.hooks.onError(error) },
    );
    this.parts["maintenance-form"].replaceChildren(this.form.root);
    setHidden(this.parts.maintain, true);
    this.form.focus();
  }

  closed() {
    this.form = null;
    setHidden(this.parts.maintain, !this.view.mayChange || this.view.knownAt !== null);
    this.parts.maintain.focus({ preventScroll: true });
  }

  done(kind, answer) {
    this.form = null;
    const at = answer.judged_again_at ? Date.parse(answer.judged_again_at) : null;
    setText(this.parts["maintenance-said"], doneWords(kind, answer, at, this.view.zone));
    this.parts["maintenance-said"].focus({ preventScroll: true });
    this.hooks.onDone(at);
  }
}

function doneWords(kind, answer, at, zone) {
  if (answer.outcome === "unchanged") return "It was so already: nothing was written.";
  const [window] = answer.items;
  const what = { declare: `Declared: ${stretchWords(Date.parse(window.from), Date.parse(window.to), zone)}.`, end: `It ends at ${exactMoment(Date.parse(window.to), zone)} ${zoneWords(Date.parse(window.to), zone)}.`, revoke: "Revoked." }[kind];
  return at === null ? what : `${what} What it touches of the past is judged again at ${exactMoment(at, zone)}; this page then shows it.`;
}
