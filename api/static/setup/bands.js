// A policy document as people see it: a table of bands in words, and a form with the fields of each band's kind; the JSON behind it can be seen and edited.

import { bandWords, endWords, roleWords } from "../band_words.js";
import { make } from "./build.js";
import { ConditionsEditor } from "./conditions.js";
import { field } from "./fields.js";
import { form } from "./form.js";
import { suppressFields, withSuppress } from "./suppress.js";
import { table } from "./table.js";

const SIDES = [
  { value: "high", label: "Too warm: above" },
  { value: "low", label: "Too cold: below" },
];
const SEVERITIES = [
  { value: "critical", label: "Critical" },
  { value: "warning", label: "Warning" },
];
const KINDS = [
  { value: "sustained", label: "Time out of range on end" },
  { value: "cumulative", label: "Time out of range in all" },
  { value: "mean", label: "Mean of each hour or the like" },
  { value: "mkt", label: "Mean kinetic temperature" },
];

const ROLES = [
  { value: "compliance", label: "Compliance" },
  { value: "operational", label: "Operations" },
];

export function bandTable(document) {
  return [
    table({
      label: "Bands",
      items: document.bands ?? [],
      empty: "No bands.",
      columns: [
        { title: "Band", cell: (band) => band.name },
        { title: "Excursion when", cell: (band) => bandWords(band, "celsius") },
        { title: "Ends", cell: (band) => [endWords(band, "celsius"), roleWords(band)].filter(Boolean).join(". ") },
        { title: "Severity", cell: (band) => (band.severity === "warning" ? "Warning" : "Critical") },
      ],
    }),
    make("details", { class: "folded" }, make("summary", {}, "As JSON"), make("pre", { class: "json", tabindex: "0" }, JSON.stringify(document, null, 2))),
  ];
}

/** A form of a whole document; `onSend` gets `document` beside what the `first` fields say. */
export function documentForm(context, { document, first, onSend, ...about }) {
  const editor = new Editor(document);
  return form(context, {
    ...about,
    fields: first,
    more: [editor.root],
    find: (path) => editor.find(path),
    onSend: (values) => onSend({ ...values, document: editor.read() }),
  });
}

class Editor {
  constructor(document) {
    this.list = make("div", { class: "bands" });
    this.json = field({ name: "json", label: "The document as JSON", kind: "area", rows: 14, hint: "What the fields above say. Change it here to use what they do not show." });
    this.error = make("p", { class: "field-error", role: "alert" });
    const shown = make("details", { class: "folded" }, make("summary", {}, "As JSON"), this.json.root, make("button", { type: "button", class: "second", onclick: () => this.takeJson() }, "Use this JSON"));
    shown.addEventListener("toggle", () => shown.open && this.writeJson());
    const add = make("button", { type: "button", class: "second", onclick: () => this.add({ name: "", side: "high", severity: "critical", hold_seconds: 900, min_samples: 2 }, true) }, "Add a band");
    this.conditions = new ConditionsEditor();
    this.root = make("div", { class: "editor" }, this.list, this.error, add, this.conditions.root, shown);
    this.show(document);
  }

  show(document) {
    const { bands = [], conditions, ...rest } = document;
    this.conditions.show(conditions);
    this.rest = rest;
    this.rows = [];
    this.list.replaceChildren();
    for (const band of bands) this.add(band);
    if (bands.length === 0) this.add({ name: "warm", side: "high", severity: "critical", hold_seconds: 900, min_samples: 2 });
  }

  add(band, isNew = false) {
    const row = KINDS.some((kind) => kind.value === (band.kind ?? "sustained")) ? bandRow(band) : keptRow(band);
    const remove = make("button", { type: "button", class: "plain", onclick: () => this.remove(row) }, "Remove");
    row.root.append(remove);
    this.rows.push(row);
    this.list.append(row.root);
    if (isNew) row.root.querySelector("input")?.focus();
  }

  remove(row) {
    this.rows = this.rows.filter((own) => own !== row);
    row.root.remove();
  }

  read() {
    this.error.textContent = "";
    const bands = this.rows.map((row) => row.read());
    const conditions = this.conditions.read();
    return conditions === null ? { ...this.rest, bands } : { ...this.rest, bands, conditions };
  }

  writeJson() {
    try {
      this.json.main.value = JSON.stringify(this.read(), null, 2);
    } catch {
      // A field that cannot be read says so when the form is sent.
    }
  }

  takeJson() {
    try {
      const document = JSON.parse(this.json.read());
      if (!Array.isArray(document?.bands)) throw new SyntaxError("it must be an object with a list `bands`");
      this.json.say(null);
      this.show(document);
    } catch (error) {
      this.json.say(`Not taken: ${error.message}.`);
    }
  }

  /** The field of "document: bands[0].hold_seconds", or the place for what is wrong with the document as a whole. */
  find(path) {
    const condition = /^document: conditions\.([a-z_.]+)$/.exec(path);
    const ofCondition = condition && this.conditions.find(condition[1]);
    if (ofCondition) return ofCondition;
    const named = /^document: bands\[(\d+)\]\.([a-z_.]+)$/.exec(path);
    const own = named && this.rows[Number(named[1])]?.fields.find((one) => one.name === named[2]);
    if (own) return own;
    return path.startsWith("document") || path === "bands" ? { main: this.root, say: (text) => (this.error.textContent = text ?? "") } : null;
  }
}

/** The fields of a band by its kind; where the kind is changed, what both kinds have is kept. */
function bandRow(band) {
  let fields = [];
  const shown = make("legend", { class: "hidden" });
  const parts = make("div", { class: "band-fields" });
  const root = make("fieldset", { class: "band" }, shown, parts);
  const draw = (values) => {
    fields = fieldsOf(values);
    parts.replaceChildren(...fields.map((one) => one.root));
    const name = fields[0].main;
    const write = () => (shown.textContent = `Band ${name.value}`);
    name.addEventListener("input", write);
    write();
    // What is asked depends on these: the kind, whether the band is operational, and which way a cause could explain it.
    for (const name of ["kind", "side", "role"]) {
      const own = fields.find((one) => one.name === name);
      own?.main.addEventListener("change", () => {
        draw(withSuppress(keptFields(fields)));
        fields.find((one) => one.name === name)?.main.focus();
      });
    }
  };
  root.addEventListener("input", (event) => fields.find((one) => one.root.contains(event.target))?.say(null));
  draw(band);
  return {
    root,
    get fields() {
      return fields;
    },
    read: () => ofKind(withRole(withSuppress(readBand(fields)))),
  };
}

function fieldsOf(band) {
  const kind = band.kind ?? "sustained";
  return [
    field({ name: "name", label: "Band", value: band.name, placeholder: "warm", required: true }),
    field({ name: "kind", label: "Judged by", kind: "select", value: kind, options: KINDS, required: true }),
    kind !== "mkt" && field({ name: "side", label: "Out of range", kind: "select", value: band.side, options: SIDES, required: true }),
    field({ name: "limit_celsius", label: "Limit in °C", kind: "number", value: band.limit_celsius, required: true }),
    ...FIELDS[kind](band),
    field({ name: "severity", label: "Severity", kind: "select", value: band.severity ?? "critical", options: SEVERITIES, required: true }),
    field({ name: "role", label: "For", kind: "select", value: band.role ?? "compliance", options: ROLES, required: true, hint: roleHint(kind) }),
    ...(kind === "sustained" && band.role === "operational" ? suppressFields(band) : []),
    field({ name: "inclusive", label: "The limit itself is out of range", kind: "check", value: band.inclusive }),
  ].filter(Boolean);
}

const FIELDS = {
  sustained: (band) => [
    field({ name: "hold_seconds", label: "For at least", kind: "duration", value: band.hold_seconds || null, hint: "Empty: one reading is enough." }),
    field({ name: "min_samples", label: "Readings needed", kind: "number", value: band.min_samples ?? 1 }),
    margin(band),
    field({ name: "recovery_hold_seconds", label: "Recovered for", kind: "duration", value: band.recovery_hold_seconds || null, hint: "Empty: over with the first reading inside." }),
  ],
  cumulative: (band) => [
    field({ name: "budget_seconds", label: "In all", kind: "duration", value: band.budget_seconds, size: 3_600, required: true }),
    field({ name: "window_seconds", label: "Within", kind: "duration", value: band.window_seconds, size: 3_600, hint: "Empty: since the sensor came to the unit, as for a shipment." }),
    field({ name: "rearm_seconds", label: "So far below to be over", kind: "duration", value: band.rearm_seconds || null, hint: "Empty: over once it is less than that in all." }),
  ],
  mean: (band) => [
    field({ name: "window_seconds", label: "Mean of each", kind: "duration", value: band.window_seconds, size: 3_600, required: true }),
    known(band),
  ],
  mkt: (band) => [
    field({ name: "window_seconds", label: "Over", kind: "duration", value: band.window_seconds, size: 3_600, required: true }),
    known(band),
    margin(band),
  ],
};

function margin(band) {
  return field({ name: "recovery_margin_celsius", label: "Recovery margin in °C", kind: "number", value: band.recovery_margin_celsius || null, placeholder: "0", hint: "So far inside the limit before it is over." });
}

function known(band) {
  return field({ name: "min_known_fraction", label: "Share that must be known", kind: "number", value: band.min_known_fraction ?? null, placeholder: "0.5", hint: "From 0 to 1; with less it is not judged." });
}

/** A band as the document has it: what a kind must say although its field is empty or not shown. */
function ofKind({ kind, ...band }) {
  switch (kind) {
    case "sustained":
      return band;
    case "cumulative":
      return { kind, window_seconds: null, ...band };
    case "mkt":
      return { kind, side: "high", ...band };
    default:
      return { kind, ...band };
  }
}

/** A compliance band does not say so. */
function withRole({ role, ...band }) {
  return role === "operational" ? { ...band, role } : band;
}

function roleHint(kind) {
  return kind === "sustained" ? "Operations: known causes may hold it back. Compliance: nothing ever does." : null;
}

/** What can be read of some fields now; one that cannot is left out. */
function keptFields(fields) {
  const band = {};
  for (const one of fields) {
    try {
      band[one.name] = one.read();
    } catch {
      // It is asked for again when the form is sent.
    }
  }
  return band;
}

function readBand(fields) {
  const band = {};
  for (const one of fields) {
    try {
      const value = one.read();
      if (value !== null && value !== false) band[one.name] = value;
    } catch (error) {
      one.say(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
      one.main.focus();
      throw error;
    }
  }
  return band;
}

function keptRow(band) {
  const limit = band.limit_celsius === undefined ? "" : ` ${band.side === "low" ? "below" : "above"} ${band.limit_celsius} °C`;
  const words = `${band.name}: kind ${band.kind},${limit} (kept as it is; change it in the JSON)`;
  return { root: make("fieldset", { class: "band kept" }, make("legend", { class: "hidden" }, `Band ${band.name}`), make("p", {}, words)), fields: [], read: () => band };
}
