// A policy document as people see it: a table of bands, and a form for those of kind `sustained`. Bands of other kinds are kept as they are; the JSON behind it can be seen and edited.

import { make } from "./build.js";
import { field } from "./fields.js";
import { form } from "./form.js";
import { spanWords } from "./said.js";
import { table } from "./table.js";

const SIDES = [
  { value: "high", label: "Too warm: above" },
  { value: "low", label: "Too cold: below" },
];
const SEVERITIES = [
  { value: "critical", label: "Critical" },
  { value: "warning", label: "Warning" },
];
const isSustained = (band) => (band.kind ?? "sustained") === "sustained";

export function bandTable(document) {
  return [
    table({
      label: "Bands",
      items: document.bands ?? [],
      empty: "No bands.",
      columns: [
        { title: "Band", cell: (band) => band.name },
        { title: "Out of range", cell: (band) => `${band.side === "low" ? "below" : "above"} ${band.limit_celsius} °C${band.inclusive ? ", the limit too" : ""}` },
        { title: "For at least", cell: (band) => (isSustained(band) ? (band.hold_seconds ? spanWords(band.hold_seconds) : "One reading") : ofKind(band)) },
        { title: "Recovered", cell: (band) => (band.recovery_margin_celsius ? `${band.recovery_margin_celsius} °C inside the limit` : "At the limit") },
        { title: "Severity", cell: (band) => (band.severity === "warning" ? "Warning" : "Critical") },
      ],
    }),
    make("details", { class: "folded" }, make("summary", {}, "As JSON"), make("pre", { class: "json", tabindex: "0" }, JSON.stringify(document, null, 2))),
  ];
}

function ofKind(band) {
  const over = band.window_seconds ? ` over ${spanWords(band.window_seconds)}` : "";
  return `${band.budget_seconds !== undefined ? `${spanWords(band.budget_seconds)} in all` : band.kind}${over}`;
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
    this.root = make("div", { class: "editor" }, this.list, this.error, add, shown);
    this.show(document);
  }

  show(document) {
    const { bands = [], ...rest } = document;
    this.rest = rest;
    this.rows = [];
    this.list.replaceChildren();
    for (const band of bands) this.add(band);
    if (bands.length === 0) this.add({ name: "warm", side: "high", severity: "critical", hold_seconds: 900, min_samples: 2 });
  }

  add(band, isNew = false) {
    const row = isSustained(band) ? sustainedRow(band) : keptRow(band);
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
    return { ...this.rest, bands: this.rows.map((row) => row.read()) };
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
    const named = /^document: bands\[(\d+)\]\.([a-z_]+)$/.exec(path);
    const own = named && this.rows[Number(named[1])]?.fields.find((one) => one.name === named[2]);
    if (own) return own;
    return path.startsWith("document") || path === "bands" ? { main: this.root, say: (text) => (this.error.textContent = text ?? "") } : null;
  }
}

function sustainedRow(band) {
  const fields = [
    field({ name: "name", label: "Band", value: band.name, placeholder: "warm", required: true }),
    field({ name: "side", label: "Out of range", kind: "select", value: band.side, options: SIDES, required: true }),
    field({ name: "limit_celsius", label: "Limit in °C", kind: "number", value: band.limit_celsius, required: true }),
    field({ name: "hold_seconds", label: "For at least", kind: "duration", value: band.hold_seconds || null, hint: "Empty: one reading is enough." }),
    field({ name: "min_samples", label: "Readings needed", kind: "number", value: band.min_samples ?? 1 }),
    field({ name: "recovery_margin_celsius", label: "Recovery margin in °C", kind: "number", value: band.recovery_margin_celsius || null, placeholder: "0", hint: "So far inside the limit before it is over." }),
    field({ name: "recovery_hold_seconds", label: "Recovered for", kind: "duration", value: band.recovery_hold_seconds || null, hint: "Empty: over with the first reading inside." }),
    field({ name: "severity", label: "Severity", kind: "select", value: band.severity ?? "critical", options: SEVERITIES, required: true }),
    field({ name: "inclusive", label: "The limit itself is out of range", kind: "check", value: band.inclusive }),
  ];
  const shown = make("legend", { class: "hidden" });
  const root = make("fieldset", { class: "band" }, shown, fields.map((one) => one.root));
  const name = fields[0].main;
  const write = () => (shown.textContent = `Band ${name.value}`);
  name.addEventListener("input", write);
  write();
  root.addEventListener("input", (event) => fields.find((one) => one.root.contains(event.target))?.say(null));
  return { root, fields, read: () => readBand(fields) };
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
