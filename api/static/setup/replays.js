// Replaying dead letters: first a dry run that says what each would become, then the replay itself, then what came of it.

import { get, send } from "../rest.js";
import { counted } from "../words.js";
import { make } from "./build.js";
import { actionButton } from "./form.js";
import { to } from "./place.js";
import { euiWords, timeWords } from "./said.js";
import { table } from "./table.js";

const PATH = "/api/v1/dead-letters/replay";
/** More letters than this are replayed all the same, but a dry run looks at these only. */
const DRY_PAGES = 5;
const PAGES_AT_MOST = 500;
const OUTCOME_TRIES = 12;
const OUTCOME_PAUSE_MS = 1_000;

const STATUS_WORDS = {
  would_replay: "would be stored",
  replayed: "replayed",
  already_replayed: "already replayed",
  not_mended: "not mended yet",
  bytes_gone: "bytes gone",
  came_of_a_replay: "came of a replay",
  under_way: "under way",
  not_acknowledged: "not taken by the log",
  not_found: "not found",
};

/**
 * The panel with its two steps. `order` names the letters as docs/api.md says; `many`: by a filter, page by page; `label`: of its first button.
 * @param {{order: object, many?: boolean, again?: boolean, label?: string}} about
 */
export function replayPanel(context, { order, many = false, again = false, label = many ? "Try a replay of all that match" : "Try a replay" }) {
  if (!context.canChange) return make("p", { class: "quiet" }, "Replaying needs the permission to change this organization.");
  const shown = make("div", { class: "replay-outcome", role: "status" });
  const what = many ? "all that match" : "it";
  const tryIt = actionButton(context, {
    label,
    run: () => run({ ...order, dry_run: true, again }, many, DRY_PAGES, shown),
    onDone(found) {
      const count = found.counts.would_replay ?? 0;
      const more = found.hasMore ? " There are more; they are looked at as they are replayed." : "";
      shown.replaceChildren(
        make("p", {}, make("b", {}, `Nothing was written. ${summary(found.counts)}.`), more),
        itemTable(found.items),
        count > 0 || found.hasMore ? replaying(what, count, found.hasMore) : "",
      );
    },
  });
  const replaying = (words, count, hasMore) =>
    actionButton(context, {
      label: hasMore || !many ? `Replay ${words}` : `Replay ${count.toLocaleString("en-GB")}`,
      isMain: true,
      run: () => run({ ...order, dry_run: false, again }, many, PAGES_AT_MOST, shown),
      async onDone(found) {
        shown.replaceChildren(make("p", {}, make("b", {}, `${capital(summary(found.counts))}.`), " ", make("span", { class: "became" }, "")), itemTable(found.items));
        await becomes(found.items.filter((item) => item.status === "replayed"), shown.querySelector(".became"));
      },
    });
  return make("div", { class: "replay" }, tryIt, shown);
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

async function run(order, many, pagesAtMost, shown) {
  const found = { counts: {}, items: [], hasMore: false };
  let cursor = null;
  for (let page = 0; page < pagesAtMost; page += 1) {
    const answer = await send("POST", PATH, cursor === null ? order : { ...order, cursor });
    for (const [status, count] of Object.entries(answer.counts)) found.counts[status] = (found.counts[status] ?? 0) + count;
    found.items.push(...answer.items);
    cursor = many ? answer.next : null;
    found.hasMore = cursor !== null;
    if (cursor === null) break;
    shown.replaceChildren(make("p", {}, `${counted(found.items.length, "letter", "letters")} so far…`));
  }
  return found;
}

function summary(counts) {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  if (parts.length === 0) return "no letter matches";
  return parts.map(([status, count]) => `${count.toLocaleString("en-GB")} ${STATUS_WORDS[status] ?? status}`).join(", ");
}

function itemTable(items) {
  return table({
    label: "What becomes of each letter",
    items,
    empty: "No letter matches.",
    columns: [
      { title: "Came", cell: (item) => make("a", { href: to("letters", { id: item.id }) }, timeWords(item.received_at)) },
      { title: "Device", cell: (item) => (item.dev_eui ? make("span", { class: "mono" }, euiWords(item.dev_eui)) : null) },
      { title: "Replay", cell: (item) => make("span", { class: ["would_replay", "replayed"].includes(item.status) ? "badge good" : "badge" }, STATUS_WORDS[item.status] ?? item.status) },
      { title: "Becomes", cell: (item) => [item.message, item.becomes?.readings.length > 0 && make("span", { class: "below" }, item.becomes.readings.map(readingWords).join("; "))] },
    ],
  });
}

function readingWords(reading) {
  const value = reading.temperature_celsius === null ? (reading.fault ? `fault mark ${reading.fault}` : "no temperature") : `${reading.temperature_celsius} °C`;
  return `${value}, ${reading.probe}, measured ${timeWords(reading.measured_at)}`;
}

/** Ask for the outcome of the last replayed letter until store_readings has passed it; the letters before it were passed before. */
async function becomes(replayed, said) {
  const last = replayed.at(-1);
  if (!last) return;
  said.textContent = "Waiting for what becomes of it…";
  for (let attempt = 0; attempt < OUTCOME_TRIES && said.isConnected; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, OUTCOME_PAUSE_MS));
    const { replay } = await get(`/api/v1/dead-letters/${last.id}`, {});
    if (replay?.outcome) {
      const which = replayed.length === 1 ? "It" : "The last of them";
      said.textContent = `${which} was ${OUTCOME_WORDS[replay.outcome] ?? replay.outcome}${replay.reason ? ` (${replay.reason.replaceAll("_", " ")})` : ""}.`;
      return;
    }
  }
  said.textContent = "It is on its way: look again in a moment.";
}

const OUTCOME_WORDS = { stored: "stored", duplicate: "stored already", no_reading: "without a reading", rejected: "rejected again", unassigned: "without a unit again" };
