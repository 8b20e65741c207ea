// The conditions of a policy document: each as it is judged by default, or named with its fields and with who is told. Writes only what was filled in.

import { CONDITION_TITLES } from "../lanes.js";
import { make } from "./build.js";
import { Wrong, field } from "./fields.js";
import { spanWords } from "./said.js";

const DEFAULT = "default";
const OFF = "off";
const TOLD = { none: "Shown only, nobody is told", warning: "Told as a warning", critical: "Told as critical" };

/** The fields of each condition with their defaults, as docs/concepts.md has them; null where there is none. */
const FIELDS = {
  sensor_fault: [["marks", "Faults in a row", "number", 1]],
  battery_low: [
    ["low_percent", "Below, in percent", "number", 20],
    ["percent_margin", "Over when so much above, in percent", "number", 5],
    ["low_volts", "Below, in volts", "number", null],
    ["volts_margin", "Over when so much above, in volts", "number", 0.1],
    ["readings", "Readings in a row", "number", 6],
  ],
  door_open: [["open_seconds", "Open for longer than", "duration", 300]],
  frozen_value: [
    ["after_seconds", "The same value for", "duration", 43_200],
    ["readings", "Readings of it", "number", 30],
    ["changes", "Changes seen before", "number", 50],
    ["coarse_celsius", "Finest step below, in °C", "number", 0.5],
    ["times_longest", "Times its longest stretch before", "number", 3],
  ],
  clock_wrong: [
    ["rejections", "Uplinks rejected", "number", 3],
    ["within_seconds", "Within", "duration", 86_400],
    ["quiet_seconds", "Over after so long without", "duration", 172_800],
  ],
  possible_excursion: [],
};

export class ConditionsEditor {
  constructor() {
    this.list = make("div", { class: "bands" });
    this.root = make(
      "details",
      { class: "folded" },
      make("summary", {}, "Conditions: faults, batteries, doors, clocks"),
      make("p", { class: "hint" }, "What is not named here is judged by its defaults, shown and told to nobody; a frozen value is then not looked for. Silence is always told, by the sensor's own configuration."),
      this.list,
    );
  }

  show(conditions) {
    const named = Object.entries(conditions ?? {}).filter(([kind]) => kind in FIELDS);
    this.kept = Object.fromEntries(Object.entries(conditions ?? {}).filter(([kind]) => !(kind in FIELDS)));
    this.rows = Object.keys(FIELDS).map((kind) => conditionRow(kind, Object.fromEntries(named)[kind] ?? null));
    this.list.replaceChildren(...this.rows.map((row) => row.root));
    if (named.length > 0) this.root.open = true;
  }

  /** The part `conditions` of the document, or null where nothing is named. Throws Wrong at a field that cannot be read. */
  read() {
    const written = { ...this.kept };
    for (const row of this.rows) {
      const one = row.read();
      if (one !== null) written[row.kind] = one;
    }
    return Object.keys(written).length > 0 ? written : null;
  }

  /** The field of "battery_low.low_percent", or the whole where it is about none of them. */
  find(path) {
    const [kind, name] = path.split(".");
    const row = this.rows.find((one) => one.kind === kind);
    const found = row?.fields().find((one) => one.name === name);
    if (found) this.root.open = true;
    return found ?? null;
  }
}

function conditionRow(kind, written) {
  const choices = [
    { value: DEFAULT, label: kind === "frozen_value" ? "Not looked for" : "As by default, shown only" },
    ...Object.entries(TOLD).map(([value, label]) => ({ value, label })),
    { value: OFF, label: "Not judged at all" },
  ].filter((choice) => kind !== "frozen_value" || choice.value !== OFF);
  const told = field({ name: "alert", label: CONDITION_TITLES[kind], kind: "select", value: chosenOf(kind, written), options: choices, required: true });
  const values = FIELDS[kind].map(([name, label, shape, usual]) =>
    field({ name, label, kind: shape, value: written?.[name] ?? null, hint: `Empty: ${usual === null ? "not judged by it" : shape === "duration" ? spanWords(usual) : usual}.` }),
  );
  const parts = make("div", { class: "band-fields" }, told.root, values.map((one) => one.root));
  const root = make("fieldset", { class: "band", "data-condition": kind }, make("legend", { class: "hidden" }, CONDITION_TITLES[kind]), parts);
  const draw = () => {
    const isNamed = told.read() in TOLD;
    for (const one of values) one.root.hidden = !isNamed;
  };
  told.main.addEventListener("change", draw);
  root.addEventListener("input", (event) => [told, ...values].find((one) => one.root.contains(event.target))?.say(null));
  draw();
  return { kind, root, fields: () => [told, ...values], read: () => readCondition(told.read(), values) };
}

function chosenOf(kind, written) {
  if (written === null) return DEFAULT;
  if (written.enabled === false) return kind === "frozen_value" ? DEFAULT : OFF;
  return written.alert ?? "warning";
}

function readCondition(told, fields) {
  if (told === DEFAULT) return null;
  if (told === OFF) return { enabled: false };
  const one = { alert: told };
  for (const own of fields) {
    try {
      const value = own.read();
      if (value !== null) one[own.name] = value;
    } catch (error) {
      if (error instanceof Wrong) {
        own.say(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
        own.main.focus();
      }
      throw error;
    }
  }
  return one;
}
