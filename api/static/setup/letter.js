// One dead letter: what it means, what to do, the message as it came, and its replays.

import { get } from "../rest.js";
import { card, facts, head, link, make } from "./build.js";
import { knownReasons, replayWords } from "./letters.js";
import { to } from "./place.js";
import { replayPanel } from "./replays.js";
import { euiWords, timeWords } from "./said.js";
import { table } from "./table.js";

const REPLAY_WORDS = { helps: "A replay helps once that is done.", seldom: "A replay seldom helps.", never: "A replay never helps: it would end the same way." };
/** A message is at most 256 KiB; more than this is not drawn. */
const MOST_SHOWN = 300_000;

export async function showLetter(context, id) {
  const [item, known] = await Promise.all([get(`/api/v1/dead-letters/${encodeURIComponent(id)}`, {}), knownReasons()]);
  const reason = known.find((one) => one.reason === item.reason);
  return [
    head({
      title: item.reason.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase()),
      trail: link(to("letters"), "Dead letters"),
      lead: item.meaning,
      actions: item.dev_eui ? deviceActions(context, item) : [],
    }),
    card("What to do", make("p", {}, item.what_to_do), reason && make("p", { class: "quiet" }, REPLAY_WORDS[reason.replay]), item.replay_of ? make("p", {}, "It came of a replay that failed again; ", link(to("letters", { id: item.replay_of }), "replay the first one"), ".") : replayPanel(context, { order: { ids: [id] }, again: item.replay !== null })),
    item.replays.length > 0 && card("Replays", replayList(item.replays)),
    card(
      "The message",
      facts([
        ["Came", timeWords(item.received_at)],
        ["Device EUI", item.dev_eui ? make("span", { class: "mono" }, euiWords(item.dev_eui)) : "Not told"],
        ["Application", item.application || "Not told"],
        item.detail && ["Detail", item.detail],
        ["Where it stands", make("span", { class: "mono" }, `${item.topic}[${item.partition}]@${item.offset}${item.part ? ` part ${item.part}` : ""}`)],
        ["Size", `${item.size_bytes.toLocaleString("en-GB")} bytes`],
      ]),
      message(item.raw_base64),
    ),
  ].filter(Boolean);
}

function deviceActions(context, item) {
  return [item.reason === "unassigned" && context.canChange && link(to("sensors", { new: 1, dev_eui: item.dev_eui }), "Register this device", "second"), link(to("why", { dev_eui: item.dev_eui }), "Why is it not showing?", "second"), link(to("letters", { dev_eui: item.dev_eui, show: "all" }), "All of this device", "second")];
}

function replayList(replays) {
  return table({
    label: "Replays",
    items: replays,
    empty: "",
    columns: [
      { title: "Try", cell: (one) => one.attempt },
      { title: "When", cell: (one) => timeWords(one.replayed_at) },
      { title: "By", cell: (one) => make("span", { class: "mono" }, one.replayed_by.slice(0, 8)) },
      { title: "Became", cell: (one) => replayWords({ replay: one }) },
    ],
  });
}

/** The bytes as JSON where they are, else as text where they are, else in hexadecimal. */
function message(base64) {
  if (!base64) return make("p", { class: "quiet" }, "Its bytes are not kept in the letter.");
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  let words = "hexadecimal, as it is no text";
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    words = "as text, as it is no JSON";
    text = JSON.stringify(JSON.parse(text), null, 2);
    words = "as JSON";
  } catch {
    text ??= [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
  return make("figure", { class: "message" }, make("figcaption", { class: "quiet" }, `Shown ${words}.`), make("pre", { class: "json", tabindex: "0" }, text.slice(0, MOST_SHOWN)));
}
