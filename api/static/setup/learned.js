// A fold about what is learned of a sensor: it asks once it is opened, as learning reads days of rows, and can ask again where that failed.

import { make } from "./build.js";

/**
 * @param {{title: string, from: string, ask: (choice: any) => Promise<Node[]>, otherwise?: (error: Error, load: (choice: any) => void) => Node|null}} told
 *   `ask` returns what is shown; `otherwise` what stands in place of "Try again" after an error
 */
export function learnedFold({ title, from, ask, otherwise = () => null }) {
  const host = make("div", { role: "status" });
  const fold = make("details", { class: "folded" }, make("summary", {}, title), host);
  const load = async (choice) => {
    host.replaceChildren(make("p", { class: "quiet" }, `Learning from its ${from}…`));
    try {
      host.replaceChildren(...(await ask(choice)));
    } catch (error) {
      const again = () => make("button", { type: "button", class: "second", onclick: () => load(choice) }, "Try again");
      host.replaceChildren(make("p", { class: "field-error" }, `Nothing could be learned now. ${error.message}`), otherwise(error, load) ?? again());
    }
  };
  fold.addEventListener("toggle", () => fold.open && host.childElementCount === 0 && load(null));
  return fold;
}
