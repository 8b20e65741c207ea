// Nodes of the set-up page, made in one line each. What people wrote goes in as text only, never as HTML.

import { make } from "../dom.js";

export { make };

export function link(href, text, className) {
  return make("a", { href, class: className }, text);
}

/** A part of a page with its own heading. */
export function card(title, ...children) {
  return make("section", { class: "card" }, make("h2", {}, title), children);
}

/** The head of a page: where it stands, its title, what can be done from here. */
export function head({ title, trail = null, actions = [], lead = null, badge = null }) {
  return make(
    "div",
    { class: "part-head" },
    make("div", {}, trail && make("p", { class: "trail" }, trail), make("h1", { tabindex: "-1" }, title, badge && make("span", { class: "badge" }, badge)), lead && make("p", { class: "lead" }, lead)),
    actions.length > 0 && make("div", { class: "actions" }, actions),
  );
}

/** Pairs of a name and what is so. */
export function facts(pairs) {
  return make(
    "dl",
    { class: "pairs" },
    pairs.filter((pair) => pair).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
}

/** Text that can be copied with a button. */
export function copyable(text, label) {
  const said = make("span", { class: "quiet", role: "status" });
  const shown = make("code", { class: "copy-text", tabindex: "0" }, text);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      said.textContent = "Selected: copy it with your keyboard";
    }
  };
  return make("div", { class: "copyable" }, shown, make("button", { type: "button", class: "second", onclick: copy }, label), said);
}
