// Who changed what, newest first: the registry's own record.

import { get } from "../rest.js";
import { head, link, make } from "./build.js";
import { to } from "./place.js";
import { timeWords } from "./said.js";
import { table } from "./table.js";

const PARTS = { organization: "organizations", site: "sites", unit: "units", sensor: "sensors", policy: "policies", secret: "secrets" };

export async function showChanges(context, place) {
  const asked = { organization: context.organization, limit: 100, ...(place.cursor ? { cursor: place.cursor } : {}) };
  const { items, next } = await get("/api/v1/registry-changes", asked);
  return [
    head({ title: "Changes", trail: place.cursor && link(to("changes"), "Newest"), lead: "Everything that was changed here, by whom, and from when on it holds." }),
    table({
      label: "Changes",
      items,
      empty: "Nothing was changed yet.",
      columns: [
        { title: "When", cell: (item) => timeWords(item.changed_at) },
        { title: "What", cell: (item) => link(to(PARTS[item.kind] ?? "changes", item.kind === "secret" ? {} : { id: item.thing }), `${item.kind} ${item.thing}`) },
        { title: "Change", cell: (item) => item.action.replaceAll("_", " ") },
        { title: "In force from", cell: (item) => item.effective_at && timeWords(item.effective_at) },
        { title: "From and to", cell: difference },
        { title: "By", cell: (item) => [make("span", { class: "mono" }, item.user.slice(0, 8)), item.comment && make("span", { class: "quiet" }, ` “${item.comment}”`)] },
      ],
    }),
    next && make("p", {}, link(to("changes", { cursor: next }), "Older", "second")),
  ].filter(Boolean);
}

function difference(item) {
  const names = [...new Set([...Object.keys(item.before ?? {}), ...Object.keys(item.after ?? {})])];
  const changed = names.filter((name) => JSON.stringify(item.before?.[name]) !== JSON.stringify(item.after?.[name]));
  if (changed.length === 0) return null;
  const said = changed.map((name) => `${name.replaceAll("_", " ")}: ${item.before && name in item.before ? `${short(item.before[name])} → ` : ""}${short(item.after?.[name])}`);
  return make("span", { class: "difference" }, said.join("; "));
}

function short(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
