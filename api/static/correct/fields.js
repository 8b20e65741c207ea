// The fields of a correction by its kind, and from what stands in them the order that the API takes. Asks for nothing.

import { make } from "../dom.js";
import { fromWallTime, toWallTime } from "../zone_time.js";

export const KINDS = [
  ["flag", "These readings are not to be believed", "They stay on record, marked, and count as unknown time."],
  ["delete", "These readings should not be there", "They count as if they had never come: the value before them holds on, as far as its max gap."],
  ["calibration", "The calibration was another one", "The offset that was in force. Without an end it goes on."],
  ["assignment", "The sensor was at another unit, or at none", "Since then, and on. What it measured is then judged there, or nowhere."],
  ["swap", "Two sensors were mixed up", "Since then each has watched the unit of the other."],
  ["policy", "Another policy version applied to this unit", "Since then, and on."],
];
/** Kinds that are about a stretch; the others are about everything since an instant. */
const WITH_END = new Set(["flag", "delete", "calibration"]);
/** The unit of a sensor that watched none. */
const NO_UNIT = "none";

/** What stands in a field cannot be sent; `field` says in which. */
export class Wrong extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

export class CorrectionFields {
  /**
   * @param {{zone: string, unit: object, sensor: object|null, units: {id: number, name: string}[], sensors: {id: number, name: string}[], fetchVersions: () => Promise<object[]>}} about
   * @param {() => void} onChange told when anything but the comment has changed
   */
  constructor(about, onChange) {
    this.about = about;
    this.versions = [];
    const choice = (items) => items.map(([value, words]) => make("option", { value }, words));
    const kinds = about.sensor === null ? KINDS.filter(([kind]) => kind === "policy") : KINDS;
    this.inputs = {
      kind: make("select", { id: "correct-kind" }, choice(kinds)),
      from: make("input", { id: "correct-from", type: "datetime-local", step: "1" }),
      to: make("input", { id: "correct-to", type: "datetime-local", step: "1" }),
      calibration_celsius: make("input", { id: "correct-calibration", type: "text", inputmode: "decimal", autocomplete: "off" }),
      unit: make("select", { id: "correct-unit" }, choice([["", "Choose a unit"], [NO_UNIT, "At no unit"], ...about.units.map((unit) => [unit.id, unit.name])])),
      other: make("select", { id: "correct-other" }, choice([["", "Choose a sensor"], ...about.sensors.map((sensor) => [sensor.id, sensor.name])])),
      policy_version: make("select", { id: "correct-version" }, choice([["", "Choose a version"]])),
      comment: make("textarea", { id: "correct-comment", rows: 2 }),
    };
    const zone = `Time of ${about.zone}.`;
    this.rows = {
      kind: this.row("kind", "What was wrong", ""),
      from: this.row("from", "From", `${zone} Or drag over the chart.`),
      to: this.row("to", "To", zone),
      calibration_celsius: this.row("calibration_celsius", "Offset in °C", "Added to what the probe says."),
      unit: this.row("unit", "It watched", ""),
      other: this.row("other", "Mixed up with", ""),
      policy_version: this.row("policy_version", "It was judged by", ""),
      comment: this.row("comment", "Why (required)", "Kept with the correction, for whoever reads the record."),
    };
    this.root = make("div", { class: "correct-fields" }, Object.values(this.rows));
    this.root.addEventListener("input", (event) => {
      this.say(nameOf(event.target), null);
      if (event.target === this.inputs.kind) this.showKind();
      if (event.target !== this.inputs.comment) onChange();
    });
    this.showKind();
  }

  row(name, label, hint) {
    const input = this.inputs[name];
    const error = make("small", { class: "correct-error", id: `${input.id}-error` });
    input.dataset.field = name;
    input.setAttribute("aria-describedby", `${input.id}-hint ${input.id}-error`);
    return make("div", { class: `correct-field correct-${name}` }, make("label", { for: input.id }, label), input, make("small", { class: "quiet", id: `${input.id}-hint` }, hint), error);
  }

  get kind() {
    return this.inputs.kind.value;
  }

  showKind() {
    const { kind } = this;
    const shown = { to: WITH_END.has(kind), calibration_celsius: kind === "calibration", unit: kind === "assignment", other: kind === "swap", policy_version: kind === "policy" };
    for (const [name, isShown] of Object.entries(shown)) this.rows[name].hidden = !isShown;
    this.rows.kind.querySelector("small").textContent = KINDS.find(([name]) => name === kind)[2];
    if (kind === "policy" && this.versions.length === 0) this.loadVersions();
  }

  async loadVersions() {
    try {
      this.versions = await this.about.fetchVersions();
    } catch (error) {
      this.say("policy_version", `The policies could not be loaded. ${error.message}`);
      return;
    }
    const select = this.inputs.policy_version;
    select.replaceChildren(make("option", { value: "" }, "Choose a version"), ...this.versions.map((version) => make("option", { value: version.id }, version.label)));
  }

  /** Write a stretch (ms) into the fields. */
  setStretch(from, to) {
    this.inputs.from.value = toWallTime(from, this.about.zone);
    if (WITH_END.has(this.kind) && to !== null) this.inputs.to.value = toWallTime(to, this.about.zone);
    for (const name of ["from", "to"]) this.say(name, null);
  }

  /** The stretch that is chosen, as far as it can be read: {from, to}, or null. */
  stretch(now) {
    const { zone } = this.about;
    const from = this.inputs.from.value ? fromWallTime(this.inputs.from.value, zone) : null;
    if (from === null) return null;
    const to = WITH_END.has(this.kind) && this.inputs.to.value ? fromWallTime(this.inputs.to.value, zone) : now;
    return to !== null && to > from ? { from, to } : null;
  }

  /** The order as the API takes it. Throws Wrong for the first field that cannot be sent. */
  order() {
    const { kind, about } = this;
    const order = { kind, from: this.instant("from", true), comment: this.inputs.comment.value.trim() };
    const to = WITH_END.has(kind) ? this.instant("to", kind !== "calibration") : null;
    if (to !== null) order.to = to;
    if (to !== null && Date.parse(to) <= Date.parse(order.from)) throw new Wrong("to", "The end must come after the beginning.");
    if (kind === "policy") order.unit = about.unit.id;
    else order.sensor = about.sensor.id;
    if (kind === "calibration") order.calibration_celsius = this.offset();
    if (kind === "assignment") order.unit = this.chosen("unit", "Choose which unit it watched.");
    if (kind === "swap") order.other = this.chosen("other", "Choose the other sensor.");
    if (kind === "policy") order.policy_version = this.chosen("policy_version", "Choose a version.");
    if (order.comment === "") throw new Wrong("comment", "Say why: a correction is not made without a reason.");
    return order;
  }

  instant(name, isRequired) {
    const input = this.inputs[name];
    if (!input.value && !isRequired && !input.validity.badInput) return null;
    const at = input.value ? fromWallTime(input.value, this.about.zone) : null;
    if (at === null) throw new Wrong(name, "Enter a whole date and time, or drag over the chart.");
    return new Date(at).toISOString();
  }

  offset() {
    const typed = this.inputs.calibration_celsius.value.trim().replace("\u2212", "-").replace(",", ".");
    const value = Number(typed);
    if (typed === "" || !Number.isFinite(value)) throw new Wrong("calibration_celsius", "Enter a number, such as 0.3 or -0.25.");
    return value;
  }

  chosen(name, message) {
    const { value } = this.inputs[name];
    if (value === "") throw new Wrong(name, message);
    return value === NO_UNIT ? null : Number(value);
  }

  /** Say what is wrong with a field, or nothing; whether there is such a field. */
  say(name, message) {
    const row = this.rows[name];
    if (!row) return false;
    row.querySelector(".correct-error").textContent = message ?? "";
    if (message) this.inputs[name].setAttribute("aria-invalid", "true");
    else this.inputs[name].removeAttribute("aria-invalid");
    return true;
  }
}

function nameOf(input) {
  return input.dataset.field;
}
