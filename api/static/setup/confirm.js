// The one question before what cannot simply be undone; it names what will happen. Escape and "Keep it" mean no.

import { make } from "./build.js";

/** @returns {Promise<boolean>} */
export function confirmed({ title, text, action, isDanger = true }) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { class: "ask", "aria-labelledby": "ask-title", "aria-describedby": "ask-text" });
    const no = make("button", { type: "button", class: "second", onclick: () => dialog.close("no") }, "Cancel");
    const yes = make("button", { type: "button", class: isDanger ? "button danger" : "button", onclick: () => dialog.close("yes") }, action);
    dialog.append(make("h2", { id: "ask-title" }, title), make("p", { id: "ask-text" }, text), make("div", { class: "ask-end" }, no, yes));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}
