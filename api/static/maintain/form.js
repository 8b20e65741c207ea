// The form that declares, ends or revokes maintenance: when and why, whose alarms that would change, and only then the confirmation.

import { blamedField, mayGoWithoutPreview, troubleWords } from "../correct/trouble_words.js";
import { make } from "../dom.js";
import { Refused, SignedOut, Unavailable } from "../rest.js";
import { fromWallTime, toWallTime } from "../zone_time.js";
import { fetchPreview, sendOrder } from "./rest.js";
import { OUTCOMES, changeWords, summaryWords } from "./words.js";

const FIELDS = {
  from: { label: "From", type: "datetime-local", hint: "Empty: as soon as it can, in about 8 seconds." },
  to: { label: "To", type: "datetime-local", hint: "At most 31 days after it begins." },
  comment: { label: "Why (required)", type: "text", hint: "Kept with it, for whoever reads the record." },
};

export class MaintenanceForm {
  /**
   * @param {{title: string, says: string, path: string, fields: string[], needed: string[], hints: object, values: object, zone: string, degrees: string}} about
   *   `values` in ms; `hints` beside those of the fields
   * @param {{onDone: (answer: object) => void, onClose: () => void, onError: (error: Error) => void}} hooks
   */
  constructor(about, hooks) {
    this.about = about;
    this.hooks = hooks;
    this.turn = 0;
    this.inputs = {};
    this.errors = {};
    this.said = make("p", { class: "correct-said", role: "alert" });
    this.preview = make("div", { class: "preview", role: "region", "aria-label": "What this would change", tabindex: "-1", hidden: true });
    this.ask = make("button", { type: "submit", class: "button small" }, "Preview");
    const rows = about.fields.map((name) => this.row(name));
    const cancel = make("button", { type: "button", class: "plain", onclick: () => this.close() }, "Cancel");
    const form = make("form", { class: "correct-form", novalidate: true, autocomplete: "off" }, make("div", { class: "correct-fields" }, rows), make("div", { class: "correct-end" }, this.ask, cancel));
    this.root = make("div", { class: "corrector", role: "group", "aria-label": about.title }, make("h4", {}, about.title), make("p", { class: "quiet" }, about.says), form, this.said, this.preview);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.look();
    });
    form.addEventListener("input", (event) => this.changed(event.target.name));
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // What was typed must not be lost with the whole panel.
      event.stopPropagation();
      this.close();
    });
  }

  row(name) {
    const { zone, values, hints } = this.about;
    const { label, type, hint } = FIELDS[name];
    const id = `maintain-${name}`;
    const input = make("input", { id, name, type, step: type === "text" ? null : "1", "aria-describedby": `${id}-hint ${id}-error` });
    if (values[name] !== undefined) input.value = toWallTime(values[name], zone);
    this.inputs[name] = input;
    this.errors[name] = make("small", { class: "correct-error", id: `${id}-error` });
    return make("div", { class: `correct-field correct-${name}` }, make("label", { for: id }, label), input, make("small", { class: "quiet", id: `${id}-hint` }, hints[name] ?? hint), this.errors[name]);
  }

  focus() {
    this.inputs[this.about.fields[0]].focus();
    this.root.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.turn += 1;
    this.root.remove();
    this.hooks.onClose();
  }

  changed(name) {
    this.say(name, "");
    if (name === "comment") return;
    this.turn += 1;
    this.preview.hidden = true;
    this.said.textContent = "";
    hold(this.ask, false);
  }

  say(name, words) {
    if (!(name in this.inputs)) return false;
    this.errors[name].textContent = words;
    if (words) this.inputs[name].setAttribute("aria-invalid", "true");
    else this.inputs[name].removeAttribute("aria-invalid");
    return true;
  }

  /** What is to be sent, or null where a field does not stand as it must; it says so. */
  read() {
    const order = {};
    for (const name of this.about.fields) {
      const wrong = this.take(name, order);
      if (wrong === null) continue;
      this.say(name, wrong);
      this.inputs[name].focus();
      return null;
    }
    return order;
  }

  take(name, order) {
    const input = this.inputs[name];
    if (name === "comment") {
      order.comment = input.value.trim();
      return order.comment === "" ? "Say why: it is not written without a reason." : null;
    }
    if (!input.value && !input.validity.badInput && !this.about.needed.includes(name)) return null;
    const at = input.value ? fromWallTime(input.value, this.about.zone) : null;
    if (at === null) return "Enter a whole date and time.";
    order[name] = new Date(at).toISOString();
    return null;
  }

  async look() {
    if (this.ask.getAttribute("aria-disabled") === "true") return;
    const order = this.read();
    if (order === null) return;
    const turn = (this.turn += 1);
    hold(this.ask, true);
    this.said.textContent = "Looking at what would change…";
    try {
      const preview = await fetchPreview(this.about.path, order);
      if (turn !== this.turn) return;
      this.said.textContent = "";
      this.offer([make("p", { class: "preview-sum" }, summaryWords(preview)), ...groups(preview.changes, this.about)], "Confirm");
    } catch (error) {
      if (turn === this.turn) this.tell(error, false);
    } finally {
      if (turn === this.turn) hold(this.ask, false);
    }
  }

  offer(nodes, label) {
    const confirm = make("button", { type: "button", class: "button small", onclick: () => this.confirm(confirm) }, label);
    this.preview.replaceChildren(make("h4", {}, "What would change"), ...nodes, make("div", { class: "correct-end" }, confirm));
    this.preview.hidden = false;
    this.preview.focus({ preventScroll: true });
    this.preview.scrollIntoView({ block: "nearest" });
  }

  async confirm(button) {
    if (button.getAttribute("aria-disabled") === "true") return;
    const order = this.read();
    if (order === null) return;
    const { turn } = this;
    hold(button, true);
    try {
      const answer = await sendOrder(this.about.path, order);
      if (turn !== this.turn) return;
      this.root.remove();
      this.hooks.onDone(answer);
    } catch (error) {
      if (turn === this.turn) this.tell(error, true);
    } finally {
      hold(button, false);
    }
  }

  tell(error, isChange) {
    if (error instanceof SignedOut) {
      this.hooks.onError(error);
      return;
    }
    if (!(error instanceof Refused || error instanceof Unavailable)) throw error;
    const words = isChange && error.code === "" ? "The server did not answer, so it is not known whether this was done. Look at the list before you send it again." : troubleWords(error, isChange);
    this.said.textContent = "";
    const field = blamedField(error);
    if (field !== null && this.say(field, words)) this.inputs[field].focus();
    else this.said.textContent = words;
    if (!isChange && mayGoWithoutPreview(error)) this.offer([make("p", {}, "What would change is not known beforehand.")], "Confirm without a preview");
  }
}

function groups(changes, view) {
  return Object.entries(OUTCOMES)
    .map(([outcome, { title }]) => [outcome, title, changes.filter((change) => change.outcome === outcome)])
    .filter(([, , own]) => own.length > 0)
    .map(([outcome, title, own]) =>
      make("div", { class: "preview-group", "data-outcome": outcome }, make("h4", {}, title), make("ul", {}, own.map((change) => make("li", {}, changeWords(change, view))))),
    );
}

function hold(button, isHeld) {
  button.setAttribute("aria-disabled", String(isHeld));
  button.classList.toggle("working", isHeld);
}
