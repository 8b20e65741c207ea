// Dead letters: uplinks that came to nothing, kept whole. Filters stand in the address, pages go by cursor.

import { get } from "../rest.js";
import { head, link, make } from "./build.js";
import { cleanEui, euiFault } from "./eui.js";
import { Wrong, field } from "./fields.js";
import { showLetter } from "./letter.js";
import { to } from "./place.js";
import { replayPanel } from "./replays.js";
import { euiWords, timeWords, zoneName } from "./said.js";
import { table } from "./table.js";

const PART = "letters";
const PAGE = 50;
const WAITING = { waiting: "false", replayed: "true", all: null };

let reasons = null;

/** Every reason with its sentences; they are the same for everyone. */
export async function knownReasons() {
  reasons ??= (await get("/api/v1/reasons", {})).items;
  return reasons;
}

export async function showLetters(context, place) {
  if (place.id) return showLetter(context, place.id);
  const filter = filterOf(place);
  const show = WAITING[place.show] === undefined ? "waiting" : place.show;
  const asked = { organization: context.organization, limit: PAGE, ...filter };
  if (WAITING[show] !== null) asked.replayed = WAITING[show];
  if (place.cursor) asked.cursor = place.cursor;
  const [known, { items, next }] = await Promise.all([knownReasons(), get("/api/v1/dead-letters", asked)]);
  const onward = (fields) => to(PART, { show, ...filter, ...fields });
  return [
    head({ title: "Dead letters", lead: "Uplinks that came to nothing, kept as they came. Once the cause is mended they can be replayed: each is then stored with the time it first came." }),
    filters(known, place, show),
    items.length > 0 && show === "waiting" && replayPanel(context, { order: { organization: context.organization, ...filter }, many: true }),
    table({
      label: "Dead letters",
      items,
      empty: show === "waiting" ? "None is waiting. Everything that came was understood, or was replayed." : "None matches.",
      columns: columns(),
    }),
    (next || place.cursor) && make("p", { class: "turning" }, place.cursor && link(onward({}), "Newest", "second"), next && link(onward({ cursor: next }), "Older", "second")),
  ].filter(Boolean);
}

function columns() {
  return [
    { title: "Came", cell: (item) => link(to(PART, { id: item.id }), timeWords(item.received_at)) },
    { title: "Device", cell: (item) => (item.dev_eui ? link(to("why", { dev_eui: item.dev_eui }), euiWords(item.dev_eui), "mono") : "Not told") },
    { title: "Reason", cell: (item) => [make("b", {}, item.reason.replaceAll("_", " ")), make("span", { class: "below" }, item.meaning)] },
    { title: "Replay", cell: replayWords },
  ];
}

export function replayWords(item) {
  if (item.replay_of) return "Came of a replay";
  if (!item.replay) return "Waiting";
  const became = item.replay.outcome === null ? "under way" : [item.replay.outcome.replaceAll("_", " "), item.replay.reason?.replaceAll("_", " ")].filter(Boolean).join(", ");
  return make("span", { class: item.replay.outcome === "stored" ? "badge good" : "badge" }, `Replayed: ${became}`);
}

function filterOf(place) {
  const filter = {};
  for (const name of ["reason", "dev_eui", "from", "to"]) if (place[name]) filter[name] = place[name];
  return filter;
}

function filters(known, place, show) {
  const reason = field({ name: "reason", label: "Reason", kind: "select", empty: "Any", value: place.reason, options: known.filter((one) => one.about === "uplink").map((one) => ({ value: one.reason, label: one.reason.replaceAll("_", " ") })) });
  const eui = field({ name: "dev_eui", label: "Device EUI", value: place.dev_eui ? euiWords(place.dev_eui) : "" });
  const from = field({ name: "from", label: "From", kind: "moment" });
  const end = field({ name: "to", label: "To", kind: "moment", hint: `Times of ${zoneName()}.` });
  const which = field({ name: "show", label: "Show", kind: "select", value: show, required: true, options: [{ value: "waiting", label: "Waiting" }, { value: "replayed", label: "Replayed" }, { value: "all", label: "All" }] });
  for (const [one, text] of [[from, place.from], [end, place.to]]) if (text) one.main.value = localMoment(text);
  const fields = [which, reason, eui, from, end];
  const onsubmit = (event) => {
    event.preventDefault();
    const asked = {};
    for (const one of fields) {
      try {
        asked[one.name] = one === eui ? readEui(eui) : one.read();
        one.say(null);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        one.say(`It ${error.message}.`);
        one.main.focus();
        return;
      }
    }
    location.hash = to(PART, asked);
  };
  const isOpen = matchMedia("(min-width: 720.02px)").matches || Object.keys(filterOf(place)).length > 0;
  return make(
    "details",
    { class: "filter-fold", open: isOpen },
    make("summary", {}, "Filter"),
    make("form", { class: "filters", onsubmit, novalidate: true }, fields.map((one) => one.root), make("button", { type: "submit", class: "second" }, "Filter")),
  );
}

function readEui(one) {
  const typed = one.read();
  if (!typed) return null;
  const eui = cleanEui(typed);
  if (eui === null) throw new Wrong(euiFault(typed));
  return eui;
}

/** What a field for a date and a time of the viewer's zone takes. */
function localMoment(text) {
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
