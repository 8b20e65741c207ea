// Sites: where units stand, each with its time zone.

import { get, send } from "../rest.js";
import { card, head, link, make } from "./build.js";
import { field } from "./fields.js";
import { actionButton, form } from "./form.js";
import { to } from "./place.js";
import { ZONE, outcomeWords, timeWords } from "./said.js";
import { archivedSwitch, table } from "./table.js";

const PART = "sites";

export async function showSites(context, place) {
  if (place.new) return newOne(context);
  if (place.id) return one(context, Number(place.id));
  const { items } = await get("/api/v1/sites", { organization: context.organization, ...(place.archived ? { archived: true } : {}) });
  const add = context.canChange && link(to(PART, { new: 1 }), "New site", "button");
  return [
    head({ title: "Sites", actions: [archivedSwitch(place, (fields) => to(PART, fields)), add], lead: "The places in which units stand. Times on the page are in the site's own time zone." }),
    table({
      label: "Sites",
      many: "sites",
      items,
      empty: "There are no sites yet. Start with one: units are made under it.",
      words: (item) => `${item.name} ${item.time_zone}`,
      columns: [
        { title: "Name", cell: (item) => link(to(PART, { id: item.id }), item.name) },
        { title: "Time zone", cell: (item) => item.time_zone },
        { title: "Units", cell: (item) => link(to("units", { site: item.id }), item.units.toLocaleString("en-GB")), isNumber: true },
        place.archived && { title: "Archived", cell: (item) => item.archived_at && timeWords(item.archived_at) },
      ].filter(Boolean),
    }),
  ];
}

function zoneField(value) {
  const zones = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];
  return field({ name: "time_zone", label: "Time zone", kind: "pick", free: true, required: true, value, options: zones.map((zone) => ({ value: zone, label: zone })), hint: "Type a part of the name, such as Berlin." });
}

function newOne(context) {
  return [
    head({ title: "New site", trail: link(to(PART), "Sites") }),
    form(context, {
      fields: [field({ name: "name", label: "Name", required: true }), zoneField(ZONE)],
      action: "Make the site",
      blame: { exists: "name" },
      onSend: (values) => send("POST", "/api/v1/sites", { organization: context.organization, ...values }),
      onDone: (answer) => context.go(to(PART, { id: answer.item.id }), outcomeWords(answer, "Made")),
    }),
  ];
}

async function one(context, id) {
  const item = await get(`/api/v1/sites/${id}`, {});
  const path = `/api/v1/sites/${id}`;
  const onDone = (answer) => context.stay(outcomeWords(answer));
  const archive = {
    label: "Archive this site",
    isDanger: true,
    ask: { title: `Archive ${item.name}?`, text: `The site is left out of lists.${item.units > 0 ? ` ${item.units === 1 ? "Its unit" : `Its ${item.units} units`} must be archived first.` : ""} Nothing is deleted; it can be restored.`, action: "Archive it" },
    run: () => send("POST", `${path}/archive`, {}),
    onDone,
  };
  return [
    head({
      title: item.name,
      trail: link(to(PART), "Sites"),
      badge: item.archived_at && "Archived",
      actions: [link(to("units", { site: id }), `Units (${item.units})`, "second"), context.canChange && !item.archived_at && link(to("units", { new: 1, site: id }), "New unit here", "second")],
    }),
    card(
      "Name and time zone",
      form(context, {
        fields: [field({ name: "name", label: "Name", value: item.name, required: true }), zoneField(item.time_zone)],
        action: "Save",
        blame: { exists: "name" },
        onSend: (values) => send("PATCH", path, values),
        onDone,
      }),
    ),
    context.canChange &&
      card(
        item.archived_at ? "Restore" : "Archive",
        make("p", {}, item.archived_at ? "Shows it in lists again." : "For a place that is not used any more. What was measured there is kept."),
        actionButton(context, item.archived_at ? { label: "Restore", run: () => send("POST", `${path}/restore`, {}), onDone } : archive),
      ),
  ].filter(Boolean);
}
