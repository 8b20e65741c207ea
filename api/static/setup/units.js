// Units: refrigerators and the like, under a site, judged by a policy version from an instant on.

import { all, get, send } from "../rest.js";
import { card, head, link, make } from "./build.js";
import { field, fromWhen } from "./fields.js";
import { actionButton, form } from "./form.js";
import { to } from "./place.js";
import { policyOptions } from "./policies.js";
import { KIND_WORDS, euiWords, outcomeWords, timeWords } from "./said.js";
import { archivedSwitch, table } from "./table.js";

const PART = "units";
const KINDS = Object.entries(KIND_WORDS).map(([value, label]) => ({ value, label }));

export async function showUnits(context, place) {
  if (place.new) return newOne(context, place);
  if (place.id) return one(context, Number(place.id));
  const chosen = place.site ? { site: place.site } : { organization: context.organization };
  const [sites, units] = await Promise.all([sitesOf(context, place.archived), all("/api/v1/units", { ...chosen, ...(place.archived ? { archived: true } : {}) })]);
  const site = sites.get(Number(place.site));
  const add = context.canChange && link(to(PART, { new: 1, site: place.site }), "New unit", "button");
  return [
    head({
      title: site ? `Units of ${site.name}` : "Units",
      trail: site && link(to(PART), "All units"),
      actions: [archivedSwitch(place, (fields) => to(PART, { site: place.site, ...fields })), add],
      lead: "What is watched: refrigerators, freezers, cold rooms, shipments.",
    }),
    table({
      label: "Units",
      many: "units",
      items: units,
      empty: sites.size === 0 ? ["A unit stands at a site: ", link(to("sites", { new: 1 }), "make a site first"), "."] : "There are no units yet.",
      words: (item) => `${item.name} ${sites.get(item.site)?.name ?? ""} ${KIND_WORDS[item.kind] ?? ""}`,
      columns: [
        { title: "Name", cell: (item) => link(to(PART, { id: item.id }), item.name) },
        { title: "Site", cell: (item) => sites.get(item.site)?.name },
        { title: "Kind", cell: (item) => KIND_WORDS[item.kind] ?? item.kind },
        { title: "Last reading", cell: (item) => (item.latest ? timeWords(item.latest.measured_at) : "None yet") },
      ],
    }),
  ];
}

export async function sitesOf(context, archived = false) {
  const { items } = await get("/api/v1/sites", { organization: context.organization, ...(archived ? { archived: true } : {}) });
  return new Map(items.map((site) => [site.id, site]));
}

/** Every unit of the organization to choose from, as "Fridge 3, Clinic North". */
export async function unitOptions(context) {
  const [sites, units] = await Promise.all([sitesOf(context), all("/api/v1/units", { organization: context.organization })]);
  return units.map((unit) => ({ value: unit.id, label: `${unit.name}, ${sites.get(unit.site)?.name ?? ""}` }));
}

function siteField(sites, value) {
  return field({ name: "site", label: "Site", kind: "select", required: true, value, empty: "Choose", options: [...sites.values()].map((site) => ({ value: site.id, label: site.name })) });
}

async function newOne(context, place) {
  const [sites, policies] = await Promise.all([sitesOf(context), policyOptions(context)]);
  const fields = [
    siteField(sites, place.site ?? (sites.size === 1 ? [...sites.keys()][0] : null)),
    field({ name: "name", label: "Name", required: true }),
    field({ name: "kind", label: "Kind", kind: "select", required: true, value: "refrigerator", options: KINDS }),
    field({ name: "policy_version", label: "Judged by", kind: "select", empty: "Nothing yet", options: policies, hint: "Without a policy its readings are kept and shown, but nothing is ever an excursion." }),
    fromWhen("Judged from"),
  ];
  return [
    head({ title: "New unit", trail: link(to(PART), "Units") }),
    form(context, {
      fields,
      action: "Make the unit",
      blame: { exists: "name", archived: "site" },
      onSend: (values) => send("POST", "/api/v1/units", values),
      onDone: (answer) => context.go(to(PART, { id: answer.item.id }), outcomeWords(answer, answer.effective_at ? "Made, with its policy" : "Made")),
    }),
  ];
}

async function one(context, id) {
  const [item, sites, policies, sensors] = await Promise.all([
    get(`/api/v1/units/${id}/registration`, {}),
    sitesOf(context, true),
    policyOptions(context),
    all("/api/v1/sensors", { unit: id }),
  ]);
  const path = `/api/v1/units/${id}`;
  const onDone = (answer) => context.stay(outcomeWords(answer));
  const isFree = !item.archived_at;
  return [
    head({
      title: item.name,
      trail: [link(to(PART), "Units"), " / ", link(to(PART, { site: item.site }), sites.get(item.site)?.name ?? "Site")],
      badge: item.archived_at && "Archived",
      actions: [isFree && link(`/#unit=${id}`, "Live", "second"), isFree && link(to("why", { unit: id }), "Why is it not showing?", "second"), context.canChange && isFree && link(to("sensors", { new: 1, unit: id }), "Register a sensor here", "second")],
    }),
    card("Name, kind and site", details(context, item, sites, path, onDone)),
    card("Judged by", timeline(item), isFree && judging(context, policies, path, onDone)),
    card("Sensors", sensorList(sensors)),
    context.canChange && card(isFree ? "Archive" : "Restore", make("p", {}, isFree ? "For a unit that is not used any more. Its sensors watch nothing from then on; what was measured is kept." : "Shows it in lists again. Assign its sensors anew."), actionButton(context, archiving(item, sensors.length, path, onDone))),
  ].filter(Boolean);
}

function details(context, item, sites, path, onDone) {
  const inUse = new Map([...sites].filter(([id, site]) => !site.archived_at || id === item.site));
  return form(context, {
    fields: [
      field({ name: "name", label: "Name", value: item.name, required: true }),
      field({ name: "kind", label: "Kind", kind: "select", value: item.kind, options: KINDS, required: true }),
      siteField(inUse, item.site),
    ],
    action: "Save",
    blame: { exists: "name", in_use: "site" },
    onSend: (values) => send("PATCH", path, values),
    onDone,
  });
}

function timeline(item) {
  const now = Date.now();
  const inForce = item.policies.findLastIndex((one) => Date.parse(one.effective_at) <= now);
  return table({
    label: "Policies of this unit",
    items: [...item.policies].reverse(),
    empty: "Nothing: its readings are kept and shown, but nothing is ever an excursion.",
    columns: [
      { title: "Policy", cell: (one) => [link(to("policies", { id: one.policy }), one.name), `, version ${one.version}`] },
      { title: "From", cell: (one) => timeWords(one.effective_at) },
      { title: "Now", cell: (one) => standing(item.policies.indexOf(one), inForce) },
    ],
  });
}

function standing(place, inForce) {
  if (place === inForce) return make("span", { class: "badge good" }, "In force");
  return place > inForce ? make("span", { class: "badge" }, "Planned") : "Past";
}

function judging(context, policies, path, onDone) {
  return form(context, {
    fields: [field({ name: "policy_version", label: "Judge by another", kind: "select", required: true, empty: "Choose a policy", options: policies }), fromWhen()],
    action: "Put in force",
    blame: { in_use: "policy_version", archived: "policy_version", too_early: "effective_at" },
    onSend: (values) => send("POST", `${path}/policy`, values),
    onDone,
  });
}

function sensorList(sensors) {
  return table({
    label: "Sensors of this unit",
    items: sensors,
    empty: "None watches it now.",
    columns: [
      { title: "Device", cell: (sensor) => link(to("sensors", { id: sensor.id }), euiWords(sensor.device.dev_eui)) },
      { title: "Probe", cell: (sensor) => sensor.probe },
      { title: "Last reading", cell: (sensor) => (sensor.latest ? timeWords(sensor.latest.measured_at) : "None yet") },
    ],
  });
}

function archiving(item, sensors, path, onDone) {
  if (item.archived_at) return { label: "Restore", run: () => send("POST", `${path}/restore`, {}), onDone };
  return {
    label: "Archive this unit",
    isDanger: true,
    ask: {
      title: `Archive ${item.name}?`,
      text: `It leaves the live page and lists, and ${sensors === 1 ? "its sensor watches" : `its ${sensors} sensors watch`} nothing from about 8 seconds on: their uplinks become dead letters. Nothing is deleted; it can be restored.`,
      action: "Archive it",
    },
    run: () => send("POST", `${path}/archive`, {}),
    onDone,
  };
}
