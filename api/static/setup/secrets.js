// Application secrets: what The Things Stack sends with its webhook. Shown once when made, never again.

import { Unavailable, get, send } from "../rest.js";
import { card, copyable, head, make } from "./build.js";
import { field } from "./fields.js";
import { actionButton, form } from "./form.js";
import { timeWords } from "./said.js";
import { table } from "./table.js";

const SURELY_NOT_MADE = ["busy", "auth_unavailable", "query_too_long"];

export async function showSecrets(context, place) {
  const shown = make("div", {});
  const listed = make("div", {});
  const list = async () => listed.replaceChildren(...lists(context, (await get("/api/v1/secrets", { organization: context.organization })).items));
  await list();
  return [
    head({ title: "Application secrets", lead: "An application of The Things Stack sends its uplinks with a secret. Two may be valid at once, so that one can follow the other without a gap." }),
    shown,
    context.canChange && card("New secret", newOne(context, place, shown, list)),
    listed,
  ].filter(Boolean);
}

function lists(context, items) {
  const valid = items.filter((item) => item.revoked_at === null);
  const revoked = items.filter((item) => item.revoked_at !== null);
  return [
    table({ label: "Valid secrets", items: valid, empty: "There is none yet: no uplink is taken until there is one.", columns: columns(context, false) }),
    revoked.length > 0 && make("details", { class: "folded" }, make("summary", {}, `Revoked (${revoked.length})`), table({ label: "Revoked secrets", items: revoked, empty: "", columns: columns({ canChange: false }, true) })),
  ].filter(Boolean);
}

function columns(context, areRevoked) {
  return [
    { title: "Application", cell: (item) => item.application },
    { title: "Secret", cell: (item) => `No. ${item.id}` },
    { title: "Made", cell: (item) => timeWords(item.created_at) },
    areRevoked && { title: "Revoked", cell: (item) => timeWords(item.revoked_at) },
    context.canChange && { title: "", cell: (item) => revoking(context, item) },
  ].filter(Boolean);
}

function revoking(context, item) {
  return actionButton(context, {
    label: "Revoke",
    isDanger: true,
    ask: {
      title: `Revoke secret ${item.id} of ${item.application}?`,
      text: "Uplinks sent with it are refused within seconds. This cannot be undone: make a new secret and give it to The Things Stack first.",
      action: "Revoke it",
    },
    run: () => send("POST", `/api/v1/secrets/${item.id}/revoke`, {}),
    onDone: () => context.stay(`Revoked: secret ${item.id} of ${item.application} is refused within seconds.`),
  });
}

function newOne(context, place, shown, list) {
  return form(context, {
    fields: [field({ name: "application", label: "Application", required: true, value: place.application, placeholder: "acme-cold", hint: "Its id in The Things Stack." })],
    action: "Make a secret",
    blame: { too_many_secrets: "application", exists: "application" },
    onSend: (values) => makeOne({ organization: context.organization, ...values }, list),
    onDone(answer) {
      shown.replaceChildren(once(answer.item));
      shown.querySelector("h2").focus();
      return list();
    },
  });
}

/** Make a secret. Where it is not known whether that was done, sending it again would leave one behind that nobody has seen. */
async function makeOne(order, list) {
  try {
    return await send("POST", "/api/v1/secrets", order);
  } catch (error) {
    if (!(error instanceof Unavailable) || SURELY_NOT_MADE.includes(error.code)) throw error;
    await list().catch(() => {});
    throw new Unavailable("It is not known whether the secret was made. Look at the list below: revoke the newest one that you did not see, then make another.");
  }
}

function once(item) {
  return make(
    "section",
    { class: "card once" },
    make("h2", { tabindex: "-1" }, `The new secret of ${item.application}`),
    make("p", {}, "Copy it now: it cannot be shown again."),
    copyable(item.secret, "Copy"),
    make("p", { class: "hint" }, "In The Things Stack: the application's webhook, base URL ", make("code", {}, `${location.origin}/api/webhooks/ttn`), ", additional header ", make("code", {}, "X-Coldstream-Secret"), " with this value, enabled for uplink messages."),
    make("p", {}, make("button", { type: "button", class: "second", onclick: (event) => event.target.closest(".once").remove() }, "I have copied it")),
  );
}
