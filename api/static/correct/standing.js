// The corrections of the chosen unit and sensor: those that stand, each with a way to revoke it that asks for a reason, and those that were revoked.

import { correctionWords, saidOf } from "../corrections.js";
import { make, setHidden, setText } from "../dom.js";
import { Refused, SignedOut, Unavailable } from "../rest.js";
import { doneWords } from "./corrector.js";
import { sendRevocation } from "./rest.js";
import { troubleWords } from "./trouble_words.js";

export class StandingCorrections {
  /** @param {Object<string, HTMLElement>} parts of the panel @param {{onDone: (effectiveAt: number|null, words: string) => void, onError: (error: Error) => void}} hooks */
  constructor(parts, hooks) {
    this.parts = parts;
    this.hooks = hooks;
    this.key = null;
    this.asking = null;
  }

  /** @param {object[]} corrections oldest first @param {{zone: string, degrees: string, knownAt: number|null, mayCorrect: boolean}} view */
  show(corrections, view) {
    // A reason that is being written must not be lost to a drawing.
    if (this.asking !== null && this.asking.isConnected) return;
    const mayRevoke = view.mayCorrect && view.knownAt === null;
    const key = JSON.stringify([corrections, view.zone, view.degrees, mayRevoke]);
    if (key === this.key) return;
    this.key = key;
    this.view = view;
    const standing = corrections.filter((one) => one.revokedAt === null);
    const revoked = corrections.filter((one) => one.revokedAt !== null);
    setText(this.parts["correction-count"], String(standing.length));
    setHidden(this.parts["correction-none"], corrections.length > 0);
    const list = (items, isStanding) => make("ul", { class: "corrections-list" }, items.toReversed().map((one) => this.item(one, isStanding && mayRevoke)));
    const nodes = standing.length > 0 ? [list(standing, true)] : corrections.length > 0 ? [make("p", { class: "quiet" }, "None stands.")] : [];
    if (revoked.length > 0) nodes.push(make("details", {}, make("summary", {}, `Revoked (${revoked.length})`), list(revoked, false)));
    this.parts["correction-list"].replaceChildren(...nodes);
  }

  item(correction, mayRevoke) {
    const root = make("li", { "data-correction": correction.id }, make("span", {}, correctionWords(correction, this.view)), make("span", { class: "quiet" }, saidOf(correction, this.view.zone)));
    if (mayRevoke) {
      const button = make("button", { type: "button", class: "plain", onclick: () => this.ask(root, button, correction) }, "Revoke");
      root.append(button);
    }
    return root;
  }

  ask(root, button, correction) {
    this.asking?.remove();
    const id = `revoke-${correction.id}`;
    const reason = make("input", { id, type: "text", autocomplete: "off", "aria-describedby": `${id}-error` });
    const said = make("p", { class: "correct-said", role: "alert", id: `${id}-error` });
    const stop = () => {
      form.remove();
      this.asking = null;
      button.hidden = false;
      button.focus();
    };
    const send = make("button", { class: "button small danger" }, "Revoke it");
    const form = make(
      "form",
      { class: "revoke-form", novalidate: true },
      make("label", { for: id }, "Why it is revoked (required)"),
      reason,
      make("div", { class: "correct-end" }, send, make("button", { type: "button", class: "plain", onclick: stop }, "Keep it")),
      said,
    );
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      stop();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.revoke(correction, { form, reason, said, send });
    });
    for (const other of this.parts["correction-list"].querySelectorAll("button.plain")) other.hidden = false;
    button.hidden = true;
    root.append(form);
    this.asking = form;
    reason.focus();
  }

  async revoke(correction, { form, reason, said, send }) {
    if (send.getAttribute("aria-disabled") === "true") return;
    const comment = reason.value.trim();
    if (comment === "") {
      said.textContent = "Say why: a correction is not revoked without a reason.";
      reason.focus();
      return;
    }
    send.setAttribute("aria-disabled", "true");
    try {
      const answer = await sendRevocation(correction.id, comment);
      form.remove();
      this.asking = null;
      this.key = null;
      this.hooks.onDone(answer.effective_at ? Date.parse(answer.effective_at) : null, doneWords(answer, this.view.zone));
    } catch (error) {
      if (error instanceof SignedOut) this.hooks.onError(error);
      else if (error instanceof Refused || error instanceof Unavailable) said.textContent = troubleWords(error, true);
      else throw error;
    } finally {
      send.setAttribute("aria-disabled", "false");
    }
  }
}
