// Forms and buttons that change something: errors of the API beside the field they name, nothing typed is lost, one request at a time.

import { Refused, SignedOut, Unavailable } from "../rest.js";
import { make } from "./build.js";
import { Wrong, field } from "./fields.js";

/**
 * A form. `onSend` gets the fields' values without the empty ones (`keep` names those sent as they are) and what it returns is given to `onDone`.
 * @param {{fields: object[], action: string, onSend: (values: object) => Promise<any>, onDone: (answer: any) => any, blame?: object, keep?: string[], more?: Node[], find?: (path: string) => object}} about
 *   blame: which field an error's code is about; find: a field by another name that the API uses for it
 */
export function form(context, about) {
  const fields = about.fields.filter(Boolean);
  const comment = field({ name: "comment", label: "Comment", hint: "Kept with the change." });
  const said = make("p", { class: "form-error", role: "alert" });
  const button = make("button", { type: "submit", class: "button" }, about.action);
  const closed = make(
    "fieldset",
    { class: "fields", disabled: !context.canChange },
    fields.map((one) => one.root),
    about.more,
  );
  const root = make("form", { class: "form", novalidate: true, autocomplete: "off" }, closed, said);
  if (context.canChange) {
    root.append(
      make("div", { class: "form-end" }, button, about.withComment !== false && make("details", { class: "comment" }, make("summary", {}, "Add a comment"), comment.root)),
    );
  }
  root.addEventListener("input", (event) => {
    const own = fields.find((one) => one.root.contains(event.target));
    own?.say(null);
  });
  root.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    clear([...fields, comment], said);
    const values = readAll([...fields, comment], about.keep ?? [], said);
    if (values === null) return;
    hold(button, true);
    try {
      const answer = await about.onSend(values);
      await about.onDone(answer);
    } catch (error) {
      if (!tell(context, error, { fields: [...fields, comment], said, ...about })) throw error;
    } finally {
      hold(button, false);
    }
  });
  return root;
}

function clear(fields, said) {
  said.textContent = "";
  for (const one of fields) one.say(null);
}

function readAll(fields, keep, said) {
  const values = {};
  let wrong = null;
  for (const one of fields) {
    try {
      const value = one.read();
      if ((value !== null && value !== "") || keep.includes(one.name)) values[one.name] = value;
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      one.say(sentence(error.message));
      wrong ??= one;
    }
  }
  if (wrong === null) return values;
  said.textContent = "Not sent: see what stands beside the fields.";
  wrong.main.focus();
  return null;
}

function hold(button, isHeld) {
  button.setAttribute("aria-disabled", String(isHeld));
  button.classList.toggle("working", isHeld);
}

/** Show an error where it belongs; false for one that nobody expected. */
function tell(context, error, { fields, said, blame = {}, find = () => null }) {
  if (error instanceof SignedOut) {
    context.fail(error);
    return true;
  }
  if (error instanceof Unavailable) {
    said.textContent = error.message;
    return true;
  }
  if (error instanceof Wrong) {
    said.textContent = "Not sent: see what stands beside the fields.";
    return true;
  }
  if (!(error instanceof Refused)) return false;
  let first = null;
  const rest = [];
  for (const part of error.message.split(/; (?=[a-z_]+: )/)) {
    const named = /^([a-z_]+(?:: (?:bands\[\d+\]|conditions)\.[a-z_.]+)?): (.+)$/s.exec(part);
    const blamed = named ? named[1] : blame[error.code];
    const own = fields.find((one) => one.name === blamed) ?? find(blamed ?? "");
    if (!own) {
      rest.push(part);
      continue;
    }
    own.say(sentence(named ? named[2] : part));
    first ??= own;
  }
  said.textContent = rest.length > 0 ? sentence(rest.join("; ")) : "Not saved: see what stands beside the field.";
  first?.main.focus();
  return true;
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(whole) ? whole : `${whole}.`;
}

/**
 * A button that changes something at once, after a question where `ask` is given; nothing where nothing may be changed.
 * @param {{label: string, run: () => Promise<any>, onDone: (answer: any) => any, ask?: {title: string, text: string, action: string}, isDanger?: boolean, isMain?: boolean}} about
 */
export function actionButton(context, about) {
  if (!context.canChange) return null;
  const said = make("p", { class: "form-error", role: "alert" });
  const button = make("button", { type: "button", class: about.isMain ? "button" : about.isDanger ? "second danger" : "second" }, about.label);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    said.textContent = "";
    if (about.ask && !(await context.confirm(about.ask))) return;
    hold(button, true);
    try {
      await about.onDone(await about.run());
    } catch (error) {
      if (!tell(context, error, { fields: [], said })) throw error;
    } finally {
      hold(button, false);
    }
  });
  return make("div", { class: "action" }, button, said);
}
