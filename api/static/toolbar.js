// What the viewer wishes to see: state, text, order, degrees. Tells the page of every change and remembers what should be remembered.

import { byId, element, icon, setText } from "./dom.js";
import { rememberDegrees, rememberOrder, rememberedDegrees, rememberedOrder } from "./session.js";
import { STATE_WORDS, STATES } from "./states.js";

const TYPING_PAUSE_MS = 120;

export class Toolbar {
  /** @param {{onWish: () => void, onDegrees: () => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.wish = { order: rememberedOrder(), state: null, text: "" };
    this.degrees = rememberedDegrees();
    this.chips = new Map();
    this.buildChips();
    this.listen();
  }

  buildChips() {
    for (const state of [null, ...STATES]) {
      const chip = element("button", "chip");
      const count = element("span", "chip-count", "0");
      chip.type = "button";
      chip.dataset.state = state ?? "all";
      chip.setAttribute("aria-pressed", String(state === null));
      if (state !== null) chip.append(icon(state));
      chip.append(element("span", "", state === null ? "All" : STATE_WORDS[state]), count);
      chip.addEventListener("click", () => this.chooseState(this.wish.state === state ? null : state));
      this.chips.set(state, { chip, count });
      byId("chips").append(chip);
    }
  }

  listen() {
    const order = byId("order");
    order.value = this.wish.order;
    order.addEventListener("change", () => {
      this.wish.order = order.value;
      rememberOrder(order.value);
      this.hooks.onWish();
    });
    const search = byId("search");
    search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => {
        this.wish.text = search.value;
        this.hooks.onWish();
      }, TYPING_PAUSE_MS);
    });
    for (const input of byId("degrees").querySelectorAll("input")) {
      input.checked = input.value === this.degrees;
      input.addEventListener("change", () => {
        this.degrees = input.value;
        rememberDegrees(input.value);
        this.hooks.onDegrees();
      });
    }
  }

  chooseState(state) {
    this.wish.state = state;
    for (const [own, { chip }] of this.chips) chip.setAttribute("aria-pressed", String(own === state));
    this.hooks.onWish();
  }

  showCounts(counts, all) {
    for (const [state, { chip, count }] of this.chips) {
      const units = state === null ? all : counts.get(state);
      setText(count, units.toLocaleString("en-GB"));
      chip.classList.toggle("empty", units === 0);
    }
  }
}
