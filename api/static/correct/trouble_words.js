// What stands in the way of a correction, in words, with what to do about it. Pure.

const SAID = {
  busy: "Another preview or change is under way, and one runs at a time. Nothing was changed: wait a few seconds and press the button again.",
  too_much: "This touches more than can be previewed at once (20 sensors, or 100,000 readings). Choose a later beginning, or do it without a preview.",
  query_too_long: "The database took too long. Nothing was changed: try again in a moment, choose a later beginning, or do it without a preview.",
  forbidden: "You may not correct anything here: that needs the permission coldstream:manage, which whoever manages your team can give you.",
};

/** @param {{code?: string, message: string}} error of REST @param {boolean} isChange whether something was to be changed, not only previewed */
export function troubleWords(error, isChange) {
  if (isChange && error.code === "") return "The server did not answer, so it is not known whether this was done. Look at the list of corrections below before you send it again.";
  const known = SAID[error.code];
  if (known) return known;
  if (error.code === "in_use") return `${sentence(error.message)} Nothing was changed.`;
  return sentence(withoutField(error.message));
}

/** Of an error about a field ("from: must ..."): which one, or null. */
export function blamedField(error) {
  return error.code === "bad_request" ? (/^([a-z_]+): /.exec(error.message)?.[1] ?? null) : null;
}

/** Whether it may be done all the same, unseen. */
export function mayGoWithoutPreview(error) {
  return error.code === "too_much" || error.code === "query_too_long";
}

function withoutField(message) {
  return message.replace(/^[a-z_]+: /, "");
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(whole) ? whole : `${whole}.`;
}
