// One sensor: its device, how often it reports, which units it watched, watches and will watch.

import { get, send } from "../rest.js";
import { card, facts, head, link, make } from "./build.js";
import { learnedDefrosts, profileWords } from "./defrosts.js";
import { field, fromWhen } from "./fields.js";
import { actionButton, form } from "./form.js";
import { learnedInterval } from "./interval.js";
import { to } from "./place.js";
import { euiWords, outcomeWords, spanWords, timeWords } from "./said.js";
import { deviceFields, termFields } from "./sensors.js";
import { table } from "./table.js";
import { unitOptions } from "./units.js";

export async function showSensor(context, id) {
  const [item, units] = await Promise.all([get(`/api/v1/sensors/${id}/registration`, {}), unitOptions(context)]);
  const path = `/api/v1/sensors/${id}`;
  const onDone = (answer) => context.stay(outcomeWords(answer));
  const isFree = !item.archived_at;
  const eui = euiWords(item.device.dev_eui);
  return [
    head({
      title: item.device.name || eui,
      trail: link(to("sensors"), "Sensors"),
      badge: item.archived_at && "Archived",
      actions: [link(to("why", { dev_eui: item.device.dev_eui }), "Why is it not showing?", "second"), link(to("letters", { dev_eui: item.device.dev_eui }), "Its dead letters", "second"), context.canChange && link(to("sensors", { new: 1, dev_eui: item.device.dev_eui }), "Register another probe", "second")],
    }),
    facts([["Device EUI", make("span", { class: "mono" }, eui)], ["Probe", item.probe], ["Maker and model", [item.device.brand_id, item.device.model_id].filter(Boolean).join(" ") || "Not known"]]),
    card("Unit", assignments(item), isFree && moving(context, item, units, path, onDone)),
    card("How often it reports", configurations(item), isFree && learnedInterval(context, item), isFree && learnedDefrosts(context, item), isFree && configuring(context, item, path, onDone)),
    card("Device", make("p", { class: "quiet" }, "These belong to the device, so to all its probes."), form(context, { fields: deviceFields(item.device), keep: ["name", "brand_id", "model_id"], action: "Save", onSend: (values) => send("PATCH", path, values), onDone })),
    context.canChange &&
      card(
        isFree ? "Archive" : "Restore",
        make("p", {}, isFree ? "For a sensor that is not used any more. What it measured is kept." : "Shows it in lists again. Assign it to a unit anew."),
        actionButton(context, archiving(item, eui, path, onDone)),
      ),
  ].filter(Boolean);
}

function current(item) {
  const now = Date.now();
  return item.assignments.find((one) => one.valid_to === null || Date.parse(one.valid_to) > now) ?? null;
}

function assignments(item) {
  const now = Date.now();
  return table({
    label: "Units of this sensor",
    items: [...item.assignments].reverse(),
    empty: "It watches no unit: its uplinks become dead letters.",
    columns: [
      { title: "Unit", cell: (one) => link(to("units", { id: one.unit }), one.unit_name) },
      { title: "From", cell: (one) => timeWords(one.valid_from) },
      { title: "To", cell: (one) => (one.valid_to ? timeWords(one.valid_to) : "Open") },
      { title: "Now", cell: (one) => standing(Date.parse(one.valid_from), one.valid_to ? Date.parse(one.valid_to) : Infinity, now) },
    ],
  });
}

function standing(from, end, now) {
  if (from > now) return make("span", { class: "badge" }, "Planned");
  return end > now ? make("span", { class: "badge good" }, "Watching") : "Past";
}

function moving(context, item, units, path, onDone) {
  const held = current(item);
  const isFirst = item.assignments.length === 0;
  const from = isFirst
    ? field({ name: "effective_at", label: "From", kind: "moment", hint: "Empty: in about 8 seconds. As it is the first, up to 35 days back: then dead letters can be replayed." })
    : fromWhen();
  return [
    form(context, {
      fields: [field({ name: "unit", label: held ? "Move to another unit" : "Assign to a unit", kind: "pick", required: true, options: units, hint: held ? "The old assignment ends and the new one begins at the same instant." : "Type a part of its name." }), from],
      action: held ? "Move" : "Assign",
      blame: { archived: "unit", too_early: "effective_at", in_use: "unit" },
      onSend: (values) => send("POST", `${path}/assignment`, values),
      onDone,
    }),
    held &&
      held.valid_to === null &&
      actionButton(context, {
        label: "End this assignment",
        isDanger: true,
        ask: { title: `Stop watching ${held.unit_name}?`, text: "From about 8 seconds on its uplinks become dead letters, and the unit goes unknown unless another sensor watches it. Readings so far stay with the unit.", action: "End it" },
        run: () => send("POST", `${path}/assignment/end`, {}),
        onDone,
      }),
  ];
}

function configurations(item) {
  return table({
    label: "Configurations",
    items: [...item.configurations].reverse(),
    empty: "None.",
    columns: [
      { title: "From", cell: (one) => timeWords(one.effective_at) },
      { title: "Reports every", cell: (one) => spanWords(one.expected_interval_seconds) },
      { title: "Known for", cell: (one) => spanWords(one.max_gap_seconds) },
      { title: "Offline after", cell: (one) => spanWords(one.offline_after_seconds) },
      { title: "Calibration", cell: (one) => `${one.calibration_celsius.toFixed(2)} °C` },
      { title: "Defrosts", cell: (one) => one.defrost && profileWords(one.defrost) },
    ],
  });
}

function configuring(context, item, path, onDone) {
  const newest = item.configurations.at(-1) ?? null;
  return make(
    "details",
    { class: "folded" },
    make("summary", {}, context.canChange ? "New configuration" : "As a form"),
    form(context, {
      fields: [...termFields(newest), fromWhen()],
      action: "Put in force",
      blame: { too_early: "effective_at" },
      onSend: (values) => send("POST", `${path}/configurations`, values),
      onDone,
    }),
  );
}

function archiving(item, eui, path, onDone) {
  if (item.archived_at) return { label: "Restore", run: () => send("POST", `${path}/restore`, {}), onDone };
  const held = current(item);
  return {
    label: "Archive this sensor",
    isDanger: true,
    ask: {
      title: `Archive probe ${item.probe} of ${eui}?`,
      text: `${held ? `It stops watching ${held.unit_name} in about 8 seconds, and its uplinks become dead letters from then on.` : "It is left out of lists."} Nothing is deleted; it can be restored.`,
      action: "Archive it",
    },
    run: () => send("POST", `${path}/archive`, {}),
    onDone,
  };
}
