// Organizations: made of a team, renamed, archived.

import { all, get, send } from "../rest.js";
import { card, head, link, make } from "./build.js";
import { field } from "./fields.js";
import { actionButton, form } from "./form.js";
import { to } from "./place.js";
import { outcomeWords, timeWords } from "./said.js";
import { archivedSwitch, table } from "./table.js";

const PART = "organizations";

export async function showOrganizations(context, place) {
  if (place.id) return one(context, Number(place.id));
  const organizations = await all("/api/v1/organizations", place.archived ? { archived: true } : {});
  const free = context.teams.filter((team) => team.organization === null);
  return [
    head({ title: "Organizations", actions: [archivedSwitch(place, (fields) => to(PART, fields))], lead: "Each is one of your teams. Its members see everything in it." }),
    table({
      label: "Organizations",
      items: organizations,
      empty: "You belong to no organization yet.",
      columns: [
        { title: "Name", cell: (item) => link(to(PART, { id: item.id }), item.name) },
        { title: "You may", cell: (item) => (manages(context, item.id) ? "See and change" : "See") },
        { title: "Archived", cell: (item) => item.archived_at && timeWords(item.archived_at) },
      ],
    }),
    free.length > 0 && newOne(context, free),
  ].filter(Boolean);
}

function manages(context, id) {
  return context.teams.some((team) => team.organization === id && team.may_manage);
}

function newOne(context, free) {
  const managed = free.filter((team) => team.may_manage);
  if (managed.length === 0) return card("New organization", make("p", { class: "quiet" }, "You manage none of your teams that are no organization yet, so you cannot make them one."));
  const fields = [
    field({ name: "team", label: "Team", kind: "select", required: true, options: managed.map((team) => ({ value: team.id, label: team.name || team.id })) }),
    field({ name: "name", label: "Name", required: true, value: managed[0].name }),
  ];
  return card(
    "New organization",
    form({ ...context, canChange: true }, {
      fields,
      action: "Make it an organization",
      blame: { exists: "team" },
      onSend: (values) => send("POST", "/api/v1/organizations", values),
      onDone(answer) {
        context.choose(answer.item.id);
        return context.reload(to(PART, { id: answer.item.id }), outcomeWords(answer, "Made"));
      },
    }),
  );
}

async function one(context, id) {
  const [items, sites] = await Promise.all([all("/api/v1/organizations", { archived: true }), get("/api/v1/sites", { organization: id })]);
  const item = items.find((organization) => organization.id === id);
  if (!item) return [head({ title: "No such organization", trail: link(to(PART), "Organizations") })];
  const own = { ...context, canChange: manages(context, id) };
  const done = (answer) => context.reload(to(PART, { id }), outcomeWords(answer));
  const path = `/api/v1/organizations/${id}`;
  return [
    head({ title: item.name, trail: link(to(PART), "Organizations"), badge: item.archived_at && "Archived" }),
    card("Name", form(own, { fields: [field({ name: "name", label: "Name", value: item.name, required: true })], action: "Save", onSend: (values) => send("PATCH", path, values), onDone: done })),
    own.canChange &&
      card(
        item.archived_at ? "Restore" : "Archive",
        make("p", {}, item.archived_at ? "Shows it in lists again. Its secrets stay revoked." : "Its application secrets are revoked: uplinks of its applications are refused from then on. What was measured is kept."),
        actionButton(own, item.archived_at ? { label: "Restore", run: () => send("POST", `${path}/restore`, {}), onDone: done } : archiving(item, sites.items.length, path, done)),
      ),
  ].filter(Boolean);
}

function archiving(item, sites, path, onDone) {
  const first = sites > 0 ? ` ${sites === 1 ? "Its site" : `Its ${sites} sites`} must be archived first.` : "";
  return {
    label: "Archive this organization",
    isDanger: true,
    ask: { title: `Archive ${item.name}?`, text: `All its application secrets are revoked, and it is left out of lists.${first} Nothing is deleted; it can be restored, the secrets cannot.`, action: "Archive it" },
    run: () => send("POST", `${path}/archive`, {}),
    onDone,
  };
}
