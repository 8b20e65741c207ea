// Policies: what is out of range and for how long. Versions are never rewritten: a change is a new version.

import { all, get, send } from "../rest.js";
import { bandTable, documentForm } from "./bands.js";
import { card, head, link, make } from "./build.js";
import { field } from "./fields.js";
import { actionButton, form } from "./form.js";
import { to } from "./place.js";
import { outcomeWords, timeWords } from "./said.js";
import { archivedSwitch, table } from "./table.js";

const PART = "policies";

export async function showPolicies(context, place) {
  if (place.new) return newOne(context, place);
  if (place.id) return one(context, Number(place.id));
  const items = await all("/api/v1/policies", { organization: context.organization, ...(place.archived ? { archived: true } : {}) });
  const add = context.canChange && link(to(PART, { new: 1 }), "New policy", "button");
  return [
    head({ title: "Policies", actions: [archivedSwitch(place, (fields) => to(PART, fields)), add], lead: "What is out of range, and for how long it must be before it is an excursion." }),
    table({
      label: "Policies",
      many: "policies",
      items,
      empty: "There are no policies yet. Start from one of the presets.",
      words: (item) => item.name,
      columns: [
        { title: "Name", cell: (item) => link(to(PART, { id: item.id }), item.name) },
        { title: "Newest version", cell: (item) => item.newest_version, isNumber: true },
        { title: "Units judged by it", cell: (item) => item.units.toLocaleString("en-GB"), isNumber: true },
        place.archived && { title: "Archived", cell: (item) => item.archived_at && timeWords(item.archived_at) },
      ].filter(Boolean),
    }),
  ];
}

/** Every version that may be chosen for a unit, the newest of each policy first. */
export async function policyOptions(context) {
  const items = await all("/api/v1/policies", { organization: context.organization });
  const policies = await Promise.all(items.map((item) => get(`/api/v1/policies/${item.id}`, {})));
  return policies.flatMap((policy) =>
    policy.versions.toReversed().map((version) => ({
      value: version.id,
      label: `${policy.name}, version ${version.version}`,
    })),
  );
}

async function newOne(context, place) {
  const presets = await all("/api/v1/policy-presets", {});
  const chosen = presets.find((preset) => preset.id === place.preset);
  const choice = make(
    "ul",
    { class: "presets" },
    presets.map((preset) =>
      make(
        "li",
        {},
        make("a", { class: "preset", href: to(PART, { new: 1, preset: preset.id }), "aria-current": preset === chosen ? "true" : null }, make("b", {}, preset.name), make("span", {}, preset.summary)),
      ),
    ),
  );
  return [
    head({ title: "New policy", trail: link(to(PART), "Policies"), lead: chosen ? null : "Start from one of these, or from nothing; every figure can be changed." }),
    !chosen && place.preset !== "none" && choice,
    !chosen && place.preset !== "none" && context.canChange && make("p", {}, link(to(PART, { new: 1, preset: "none" }), "Start from nothing", "second")),
    chosen && presetForm(context, chosen),
    !chosen && place.preset === "none" && card("Bands", creating(context, "", { bands: [] })),
  ].filter(Boolean);
}

function presetForm(context, preset) {
  return card(
    preset.name,
    make("p", {}, preset.summary),
    make("p", { class: "hint" }, "From: "),
    make("ul", { class: "sources" }, preset.sources.map((source) => make("li", {}, source))),
    creating(context, preset.name, preset.document),
  );
}

function creating(context, name, document) {
  return documentForm(context, {
    document,
    first: [field({ name: "name", label: "Name", value: name, required: true })],
    action: "Make the policy",
    blame: { exists: "name" },
    onSend: (values) => send("POST", "/api/v1/policies", { organization: context.organization, ...values }),
    onDone: (answer) => context.go(to(PART, { id: answer.item.id }), `${outcomeWords(answer, "Made")} It judges nothing until it is put in force at a unit.`),
  });
}

async function one(context, id) {
  const item = await get(`/api/v1/policies/${id}`, {});
  const path = `/api/v1/policies/${id}`;
  const onDone = (answer) => context.stay(outcomeWords(answer));
  const [newest, ...older] = item.versions.toReversed();
  return [
    head({ title: item.name, trail: link(to(PART), "Policies"), badge: item.archived_at && "Archived", lead: item.units === 1 ? "One unit is judged by it now." : `${item.units.toLocaleString("en-GB")} units are judged by it now.` }),
    card(`Version ${newest.version}, the newest`, versionLine(newest), bandTable(newest.document)),
    older.length > 0 &&
      make("details", { class: "folded" }, make("summary", {}, `Older versions (${older.length})`), older.map((version) => make("section", { class: "card" }, make("h2", {}, `Version ${version.version}`), versionLine(version), bandTable(version.document)))),
    context.canChange && !item.archived_at &&
      make("details", { class: "folded" }, make("summary", {}, "New version"), make("p", { class: "quiet" }, "Units stay with the version they have until another is put in force at them, on the unit's page."), documentForm(context, {
        document: newest.document,
        first: [],
        action: `Make version ${newest.version + 1}`,
        onSend: (values) => send("POST", `${path}/versions`, values),
        onDone,
      })),
    card("Name", form(context, { fields: [field({ name: "name", label: "Name", value: item.name, required: true })], action: "Save", blame: { exists: "name" }, onSend: (values) => send("PATCH", path, values), onDone })),
    context.canChange && card(item.archived_at ? "Restore" : "Archive", make("p", {}, item.archived_at ? "Shows it in lists again." : "For a policy that is not used any more. No unit may be judged by it, now or as planned."), actionButton(context, archiving(item, path, onDone))),
  ].filter(Boolean);
}

function versionLine(version) {
  const units = version.units === 1 ? "one unit is" : `${version.units.toLocaleString("en-GB")} units are`;
  return make("p", { class: "quiet" }, `Made ${timeWords(version.created_at)}; ${units} judged by it.`);
}

function archiving(item, path, onDone) {
  if (item.archived_at) return { label: "Restore", run: () => send("POST", `${path}/restore`, {}), onDone };
  return {
    label: "Archive this policy",
    isDanger: true,
    ask: { title: `Archive ${item.name}?`, text: "It can no longer be chosen for units. What was judged by it stays judged by it. It can be restored.", action: "Archive it" },
    run: () => send("POST", `${path}/archive`, {}),
    onDone,
  };
}
