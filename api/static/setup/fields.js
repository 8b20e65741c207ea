// The fields of forms: each with its label, hint and a place for its error, and `read()` for what the API takes.

import { make } from "./build.js";
import { inUnits, zoneName } from "./said.js";

/** What stands in a field cannot be sent. */
export class Wrong extends Error {}

let serial = 0;

/**
 * A field. `kind` is text, number, duration, select, pick, moment, check or area; `read()` returns null where it is empty.
 * @param {{name: string, label: string, kind?: string, value?: any, hint?: string, options?: {value: any, label: string, disabled?: boolean}[], required?: boolean, free?: boolean}} about
 */
export function field(about) {
  const id = `field-${(serial += 1)}`;
  const hint = make("p", { class: "hint", id: `${id}-hint` }, about.hint ?? "");
  const error = make("p", { class: "field-error", id: `${id}-error` });
  const { nodes, main, read } = KINDS[about.kind ?? "text"]({ ...about, id });
  main.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (about.required) main.setAttribute("aria-required", "true");
  const label = make("label", { for: id }, about.label, !about.required && about.kind !== "check" && make("span", { class: "optional" }, " optional"));
  const isCheck = about.kind === "check";
  const root = make("div", { class: isCheck ? "field field-check" : "field", "data-field": about.name }, isCheck ? [nodes, label] : [label, nodes], hint, error);
  return {
    name: about.name,
    root,
    main,
    read() {
      const value = read();
      if (about.required && (value === null || value === "")) throw new Wrong("is required");
      return value;
    },
    say(text) {
      error.textContent = text ?? "";
      if (text) main.setAttribute("aria-invalid", "true");
      else main.removeAttribute("aria-invalid");
    },
    setHint(text) {
      hint.textContent = text;
    },
  };
}

const KINDS = { text, number, duration, select, pick, moment, check, area };

function text({ id, value = "", placeholder, options }) {
  const main = make("input", { id, type: "text", value, placeholder, autocomplete: "off", spellcheck: "false", list: options && `${id}-list` });
  return { nodes: [main, options && listOf(id, options)], main, read: () => main.value.trim() };
}

function area({ id, value = "", rows = 8 }) {
  const main = make("textarea", { id, rows, spellcheck: "false" });
  main.value = value;
  return { nodes: [main], main, read: () => main.value };
}

function number({ id, value, placeholder }) {
  const main = make("input", { id, type: "text", inputmode: "decimal", value: value ?? "", placeholder, autocomplete: "off", class: "short" });
  return { nodes: [main], main, read: () => toNumber(main.value) };
}

/** Also "−1,5": a minus sign or a comma is no reason to refuse. */
function toNumber(typed) {
  const plain = typed.trim().replace("\u2212", "-").replace(",", ".");
  if (plain === "") return null;
  const value = Number(plain);
  if (!Number.isFinite(value)) throw new Wrong("must be a number");
  return value;
}

function duration({ id, value, placeholder, size: usual = 60, label }) {
  const [count, size] = value === null || value === undefined ? ["", usual] : inUnits(value);
  const main = make("input", { id, type: "text", inputmode: "decimal", value: count, placeholder, autocomplete: "off", class: "short" });
  const unit = make("select", { "aria-label": `${label}, unit` }, ["s", "min", "h", "d"].map((name, place) => make("option", { value: [1, 60, 3_600, 86_400][place] }, name)));
  unit.value = String(size);
  const read = () => {
    const typed = toNumber(main.value);
    return typed === null ? null : typed * Number(unit.value);
  };
  return { nodes: [make("div", { class: "pair" }, main, unit)], main, read };
}

function select({ id, value, options, empty }) {
  const main = make(
    "select",
    { id },
    empty !== undefined && make("option", { value: "" }, empty),
    options.map((option) => make("option", { value: option.value, disabled: option.disabled }, option.label)),
  );
  if (value !== null && value !== undefined) main.value = String(value);
  const read = () => options.find((option) => String(option.value) === main.value)?.value ?? null;
  return { nodes: [main], main, read };
}

/** A list to search by typing. */
function pick({ id, value, options, free, placeholder }) {
  const known = options.find((option) => option.value === value);
  const main = make("input", { id, type: "text", list: `${id}-list`, value: known?.label ?? (free ? value : "") ?? "", placeholder, autocomplete: "off", spellcheck: "false" });
  const read = () => {
    const typed = main.value.trim();
    if (typed === "") return null;
    const found = options.find((option) => option.label.toLowerCase() === typed.toLowerCase());
    if (found) return found.value;
    if (free) return typed;
    throw new Wrong("must be one of the list: type a part of its name and choose");
  };
  return { nodes: [main, listOf(id, options)], main, read };
}

function listOf(id, options) {
  return make("datalist", { id: `${id}-list` }, options.map((option) => make("option", { value: option.label })));
}

function moment({ id }) {
  const main = make("input", { id, type: "datetime-local", step: "1" });
  const read = () => {
    if (main.validity.badInput) throw new Wrong("must be a whole date and time, or empty");
    return main.value ? new Date(main.value).toISOString() : null;
  };
  return { nodes: [main], main, read };
}

function check({ id, value }) {
  const main = make("input", { id, type: "checkbox", checked: Boolean(value) });
  return { nodes: [main], main, read: () => main.checked };
}

/** When a change takes effect, for changes that may be planned. */
export function fromWhen(label = "From") {
  return field({ name: "effective_at", label, kind: "moment", hint: `Empty: as soon as possible, in about 8 seconds. Times are of ${zoneName()}.` });
}
