// "Why is my sensor not showing?": of any device EUI what came, what became of it, the one verdict, and what to do as a button.

import { all, get } from "../rest.js";
import { card, facts, head, link, make } from "./build.js";
import { cleanEui, euiFault } from "./eui.js";
import { field } from "./fields.js";
import { replayWords } from "./letters.js";
import { to } from "./place.js";
import { replayPanel } from "./replays.js";
import { euiWords, timeWords } from "./said.js";
import { table } from "./table.js";

const PART = "why";
const TITLE = "Why is my sensor not showing?";

export async function showWhy(context, place) {
  if (place.unit) return ofUnit(context, Number(place.unit));
  const eui = place.dev_eui ? cleanEui(place.dev_eui) : null;
  const asking = question(place.dev_eui ?? "");
  if (eui === null) return [head({ title: TITLE, lead: "Enter the EUI printed on the device: here is told what came of it, what became of that, and what to do." }), asking];
  const story = await get(`/api/v1/devices/${eui}/story`, { organization: context.organization });
  return [head({ title: TITLE }), asking, verdictCard(context, story), sensorCard(story), timelineCard(story), endsCard(story)].filter(Boolean);
}

function question(typed) {
  const eui = field({ name: "dev_eui", label: "Device EUI", required: true, value: cleanEui(typed) ? euiWords(cleanEui(typed)) : typed, placeholder: "A8-40-41-00-01-81-C0-61" });
  const onsubmit = (event) => {
    event.preventDefault();
    const clean = cleanEui(eui.main.value);
    if (clean === null) {
      eui.say(eui.main.value.trim() ? `It ${euiFault(eui.main.value)}.` : "It is required.");
      eui.main.focus();
    } else location.hash = to(PART, { dev_eui: clean, at: Date.now() });
  };
  eui.main.addEventListener("input", () => eui.say(null));
  return make("form", { class: "question", onsubmit, novalidate: true, role: "search" }, eui.root, make("button", { type: "submit", class: "button" }, "Look"));
}

/** From a unit: the device that watches it, or the choice between several. */
async function ofUnit(context, unit) {
  const sensors = await all("/api/v1/sensors", { unit });
  const euis = [...new Set(sensors.map((sensor) => sensor.device.dev_eui))];
  if (euis.length === 1) {
    history.replaceState(null, "", to(PART, { dev_eui: euis[0] }));
    return showWhy(context, { dev_eui: euis[0] });
  }
  if (euis.length > 1) return [head({ title: TITLE, lead: "The unit is watched by several devices. Which one?" }), make("ul", { class: "choices" }, euis.map((eui) => make("li", {}, link(to(PART, { dev_eui: eui }), euiWords(eui), "second mono"))))];
  return [head({ title: TITLE, lead: "No sensor watches this unit now." }), make("p", {}, link(to("units", { id: unit }), "See the unit", "second")), question("")];
}

/** Times as people here read them, and without the marks of code. */
function spoken(sentence) {
  return sentence.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => timeWords(time)).replaceAll("`", "");
}

function verdictCard(context, story) {
  const { verdict } = story;
  return make(
    "section",
    { class: "card verdict", "data-healthy": verdict.healthy ? "yes" : "no", "data-code": verdict.code },
    make("h2", {}, spoken(verdict.sentence)),
    !verdict.healthy && make("p", {}, make("b", {}, "What to do: "), spoken(verdict.what_to_do)),
    make("div", { class: "actions" }, steps(context, story)),
    story.waiting_letters > 0 && replay(context, story),
  );
}

function replay(context, story) {
  const count = story.waiting_letters;
  return make(
    "div",
    {},
    make("p", {}, `${count === 1 ? "One dead letter of it waits" : `${count.toLocaleString("en-GB")} dead letters of it wait`} for a replay. `, link(to("letters", { dev_eui: story.dev_eui }), count === 1 ? "See it" : "See them")),
    replayPanel(context, { order: { organization: story.organization, dev_eui: story.dev_eui }, many: true, label: count === 1 ? "Try to replay it" : `Try to replay all ${count.toLocaleString("en-GB")}` }),
  );
}

const REGISTER = new Set(["not_registered", "other_organization", "no_sensor", "other_probes"]);

function steps(context, story) {
  const { code } = story.verdict;
  const sensors = story.sensors.map((sensor) => link(to("sensors", { id: sensor.sensor }), story.sensors.length > 1 ? `See sensor ${sensor.probe}` : "See its sensor", "second"));
  const unit = story.sensors.flatMap((sensor) => (sensor.policy === null ? sensor.assignments.filter((one) => one.to === null) : []))[0];
  // Letters from before an assignment that has been made meanwhile want a replay, not another assignment.
  const isLoose = code === "no_assignment" && context.canChange && story.sensors.every((sensor) => sensor.assignments.every((one) => one.to !== null));
  const probe = code === "other_probes" ? story.probes_heard[0] : undefined;
  return [
    REGISTER.has(code) && context.canChange && link(to("sensors", { new: 1, dev_eui: story.dev_eui, probe }), "Register it", "button"),
    isLoose && story.sensors[0] && link(to("sensors", { id: story.sensors[0].sensor }), "Assign it to a unit", "button"),
    code === "no_policy" && context.canChange && unit && link(to("units", { id: unit.unit }), `Give ${unit.unit_name} a policy`, "button"),
    code === "foreign_application" && link(to("secrets"), "Application secrets", "second"),
    ...(isLoose ? sensors.slice(1) : sensors),
  ];
}

function sensorCard(story) {
  if (story.device === null) return null;
  return card(
    "What is registered",
    facts([
      ["Device", [story.device.name, story.device.brand_id, story.device.model_id].filter(Boolean).join(" ") || "No name, no model"],
      ["Last heard", story.last_heard_at ? timeWords(story.last_heard_at) : "Never"],
      story.offline_since && ["Offline since", timeWords(story.offline_since)],
    ]),
    table({
      label: "Sensors of the device",
      items: story.sensors,
      empty: "It has no sensor.",
      columns: [
        { title: "Probe", cell: (sensor) => link(to("sensors", { id: sensor.sensor }), sensor.probe) },
        { title: "State", cell: (sensor) => sensor.state.replaceAll("_", " ") },
        { title: "Last value", cell: (sensor) => (sensor.latest_at ? [sensor.latest_fault ? `Fault: ${sensor.latest_fault.replaceAll("_", " ")}` : `${sensor.latest_celsius} °C`, make("span", { class: "below" }, timeWords(sensor.latest_at))] : "None yet") },
        { title: "Units", cell: (sensor) => (sensor.assignments.length > 0 ? sensor.assignments.map((one) => make("p", {}, link(to("units", { id: one.unit }), one.unit_name), make("span", { class: "below" }, `${timeWords(one.from)} to ${one.to ? timeWords(one.to) : "now"}`))) : "None") },
        { title: "Policy", cell: (sensor) => sensor.policy && `${sensor.policy.name}, version ${sensor.policy.version}` },
      ],
    }),
  );
}

function timelineCard(story) {
  return card(
    "What came, newest first",
    make(
      "ol",
      { class: "timeline" },
      story.recent.map((entry) => make("li", { "data-end": entry.ended_as }, make("p", { class: "timeline-time" }, timeWords(entry.received_at)), make("div", {}, entryWords(entry)))),
    ),
    story.recent.length === 0 && make("p", { class: "quiet" }, "Nothing that is still kept."),
  );
}

function entryWords(entry) {
  return [
    make("p", {}, make("b", {}, ended(entry)), entry.late && make("span", { class: "badge" }, "Late")),
    entry.sentence && make("p", { class: "quiet" }, spoken(entry.sentence)),
    entry.measured_at && Math.abs(Date.parse(entry.measured_at) - Date.parse(entry.received_at)) > 60_000 && make("p", { class: "quiet" }, `Measured ${timeWords(entry.measured_at)}.`),
    entry.letter && make("p", {}, link(to("letters", { id: entry.letter }), "The dead letter"), entry.replay && [" ", replayWords({ replay: entry.replay })]),
  ];
}

function ended(entry) {
  if (entry.temperature_celsius !== null) return `${entry.temperature_celsius} °C stored`;
  return endWords(entry);
}

function endWords({ ended_as: end, reason }) {
  return (reason && reason !== end ? `${end}: ${reason}` : end).replaceAll("_", " ");
}

function endsCard(story) {
  if (story.ends.length === 0) return null;
  return card(
    "What became of all its uplinks",
    table({
      label: "Ends",
      items: story.ends,
      empty: "",
      columns: [
        { title: "End", cell: endWords },
        { title: "Uplinks", cell: (end) => end.uplinks.toLocaleString("en-GB"), isNumber: true },
        { title: "Since", cell: (end) => (end.since ? timeWords(end.since) : "Ever") },
        { title: "Last", cell: (end) => timeWords(end.last_at) },
      ],
    }),
  );
}
