// The form under the timeline by which a person corrects the past: fields, a preview of what would change, and only then the confirmation.

import { make } from "../dom.js";
import { exactMoment } from "../figure_words.js";
import { Refused, serverNow, SignedOut, Unavailable } from "../rest.js";
import { zoneWords } from "../words.js";
import { CorrectionFields, Wrong } from "./fields.js";
import { fetchPicture, previewNodes } from "./preview.js";
import { fetchPolicyVersions, fetchPreview, sendCorrection } from "./rest.js";
import { blamedField, mayGoWithoutPreview, troubleWords } from "./trouble_words.js";

export class Corrector {
  /** @param {HTMLElement} host @param {{onDone: (effectiveAt: number|null, words: string) => void, onClose: () => void, onMark: () => void, onError: (error: Error) => void}} hooks */
  constructor(host, hooks) {
    this.host = host;
    this.hooks = hooks;
    this.fields = null;
    this.turn = 0;
    host.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // What was typed must not be lost with the whole panel.
      event.stopPropagation();
      this.close();
    });
  }

  get isOpen() {
    return this.fields !== null;
  }

  /** @param {{unit: object, sensor: object|null, zone: string, degrees: string, fleet: object, bands: object[]}} view @param {{from: number, to: number}|null} stretch to begin with */
  open(view, stretch) {
    this.view = view;
    this.nameOf = (unit) => view.fleet.units.get(unit)?.name ?? `unit ${unit}`;
    this.fields = new CorrectionFields(this.about(view), () => this.dropPreview());
    this.said = make("p", { class: "correct-said", role: "alert" });
    this.preview = make("div", { class: "preview", role: "region", "aria-label": "What the correction would change", tabindex: "-1", hidden: true });
    this.show = make("button", { type: "submit", class: "button small" }, "Preview");
    const cancel = make("button", { type: "button", class: "plain", onclick: () => this.close() }, "Cancel");
    const form = make("form", { class: "correct-form", novalidate: true, autocomplete: "off" }, this.fields.root, make("div", { class: "correct-end" }, this.show, cancel));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    this.host.replaceChildren(make("h3", { id: "corrector-title" }, "Correct the past"), form, this.said, this.preview);
    this.host.hidden = false;
    if (stretch !== null) this.fields.setStretch(stretch.from, stretch.to);
    this.fields.inputs.kind.focus();
    this.hooks.onMark();
  }

  about({ unit, sensor, zone, fleet }) {
    const organization = fleet.sites.get(unit.site)?.organization;
    const isOurs = (one) => fleet.sites.get(one.site)?.organization === organization;
    const units = [...fleet.units.values()].filter((one) => isOurs(one) && one !== unit).sort((one, other) => one.name.localeCompare(other.name));
    const sensors = [unit, ...units].flatMap((one) => one.sensors.filter((other) => other !== sensor).map((other) => ({ id: other.id, name: `${one.name}, ${other.probe || `sensor ${other.id}`}` })));
    return { unit, sensor, zone, units, sensors, fetchVersions: () => fetchPolicyVersions(organization) };
  }

  close() {
    if (!this.isOpen) return;
    this.turn += 1;
    this.fields = null;
    this.host.hidden = true;
    this.host.replaceChildren();
    this.hooks.onClose();
  }

  /** Take a stretch that was dragged over on the chart; whether it was wanted. */
  pick(from, to) {
    if (!this.isOpen) return false;
    this.fields.setStretch(from, to);
    this.dropPreview();
    return true;
  }

  /** What is chosen, to be shown on the chart; null where nothing is. */
  marked(now) {
    return this.isOpen ? this.fields.stretch(now) : null;
  }

  /** What was shown is of another order than what the fields say now. */
  dropPreview() {
    this.turn += 1;
    this.preview.hidden = true;
    this.preview.replaceChildren();
    this.said.textContent = "";
    this.hold(this.show, false);
    this.hooks.onMark();
  }

  read() {
    this.said.textContent = "";
    try {
      return this.fields.order();
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.fields.say(error.field, error.message);
      this.fields.inputs[error.field].focus();
      return null;
    }
  }

  async ask() {
    if (this.show.getAttribute("aria-disabled") === "true") return;
    const order = this.read();
    if (order === null) return;
    this.dropPreview();
    const { turn } = this;
    this.hold(this.show, true);
    this.said.textContent = "Looking at what would change…";
    try {
      const preview = await fetchPreview(order);
      const about = { ...this.view, now: serverNow(), versions: this.fields?.versions ?? [] };
      // A picture that cannot be drawn must not keep the words away.
      const picture = await fetchPicture(order, preview, about).catch(() => null);
      if (turn !== this.turn) return;
      this.said.textContent = "";
      this.showPreview(order, previewNodes(preview, picture, { ...this.view, unit: this.view.unit.id, nameOf: this.nameOf, width: this.host.clientWidth - 30 }));
    } catch (error) {
      if (turn === this.turn) this.tell(error, false, order);
    } finally {
      if (turn === this.turn) this.hold(this.show, false);
    }
  }

  showPreview(order, nodes) {
    const confirm = make("button", { type: "button", class: "button small", onclick: () => this.confirm(order, confirm) }, "Confirm this correction");
    const back = make("button", { type: "button", class: "plain", onclick: () => this.back() }, "Change it");
    this.preview.replaceChildren(make("h3", {}, "What would change"), ...nodes, make("div", { class: "correct-end" }, confirm, back));
    this.preview.hidden = false;
    this.preview.focus({ preventScroll: true });
    this.preview.scrollIntoView({ block: "nearest" });
  }

  back() {
    this.dropPreview();
    this.fields.inputs.kind.focus();
  }

  async confirm(order, button) {
    if (button.getAttribute("aria-disabled") === "true") return;
    // The comment may have been mended since the preview: it changes nothing of what was shown.
    const current = this.read();
    if (current === null) return;
    const { turn } = this;
    this.hold(button, true);
    try {
      const answer = await sendCorrection({ ...order, comment: current.comment });
      if (turn !== this.turn) return;
      this.close();
      this.hooks.onDone(answer.effective_at ? Date.parse(answer.effective_at) : null, doneWords(answer, this.view.zone));
    } catch (error) {
      if (turn === this.turn) this.tell(error, true, order);
    } finally {
      this.hold(button, false);
    }
  }

  tell(error, isChange, order) {
    if (error instanceof SignedOut) {
      this.hooks.onError(error);
      return;
    }
    const isExpected = error instanceof Refused || error instanceof Unavailable;
    if (!isExpected) console.error(error);
    const words = isExpected ? troubleWords(error, isChange) : "Something in this page failed. Nothing was confirmed; load the page again.";
    const field = isExpected ? blamedField(error) : null;
    if (field !== null && this.fields.say(field, words)) {
      this.said.textContent = "";
      this.fields.inputs[field].focus();
      return;
    }
    this.said.textContent = words;
    if (!isChange && isExpected && mayGoWithoutPreview(error)) this.offerUnseen(order);
    this.said.scrollIntoView({ block: "nearest" });
  }

  /** What is too large to be looked at first may be done all the same. */
  offerUnseen(order) {
    const confirm = make("button", { type: "button", class: "button small", onclick: () => this.confirm(order, confirm) }, "Confirm without a preview");
    this.preview.replaceChildren(make("p", {}, "What would change is not known beforehand. It can be revoked afterwards."), make("div", { class: "correct-end" }, confirm));
    this.preview.hidden = false;
  }

  hold(button, isHeld) {
    button.setAttribute("aria-disabled", String(isHeld));
    button.classList.toggle("working", isHeld);
  }
}

/** "Corrected. What it touches is judged again from 14:03:05 on." */
export function doneWords(answer, zone) {
  if (answer.outcome === "unchanged") return "Nothing to correct: it is so already.";
  const what = answer.outcome === "created" ? "Corrected." : "Revoked.";
  if (!answer.effective_at) return `${what} Nothing need be judged again.`;
  const at = Date.parse(answer.effective_at);
  return `${what} What it touches is judged again at ${exactMoment(at, zone)} ${zoneWords(at, zone)}; this page then shows it.`;
}
