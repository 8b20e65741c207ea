// What a unit's defrosts look like to a sensor, as learned from its readings: the proposal with its evidence, and a button that takes it over.

import { spanOf } from "../band_words.js";
import { Refused, get, send } from "../rest.js";
import { exactTemperature } from "../words.js";
import { facts, make } from "./build.js";
import { field } from "./fields.js";
import { actionButton, form } from "./form.js";
import { learnedFold } from "./learned.js";
import { outcomeWords, timeWords } from "./said.js";

const WHY = {
  too_few: "too few rises would be told to recognise defrosts among them",
  too_irregular: "no period explains when the rises began, or it has just changed",
  too_long: "what recurs fills too much of the time to be defrosts",
};

/** The fold on a sensor's page. */
export function learnedDefrosts(context, item) {
  return learnedFold({
    title: "What its defrosts look like",
    from: "readings",
    ask: async (band) => shown(context, item, await get(`/api/v1/sensors/${item.id}/defrosts`, band === null ? {} : { band })),
    otherwise: (error, load) => (error instanceof Refused && error.code === "no_band" ? bandForm(context, load) : null),
  });
}

/** Where it is not plain above which band's limit defrosts rise. */
function bandForm(context, load) {
  return form({ ...context, canChange: true }, {
    fields: [field({ name: "band", label: "Defrosts rise above the limit of band", required: true })],
    action: "Look",
    withComment: false,
    onSend: async ({ band }) => band,
    onDone: load,
  });
}

function shown(context, item, learned) {
  const { proposal, in_force: inForce } = learned;
  const nodes = [make("p", {}, sentence(learned)), inForce && make("p", {}, `In force: ${profileWords(inForce)}.`), evidence(learned)];
  if (proposal === null || same(proposal, inForce)) return nodes.filter(Boolean);
  const accept = actionButton(context, {
    label: "Take over this profile",
    isMain: true,
    run: () => send("POST", `/api/v1/sensors/${item.id}/defrosts/accept`, { band: learned.band, defrost: proposal }),
    onDone: (answer) => context.stay(outcomeWords(answer)),
  });
  return [...nodes, accept].filter(Boolean);
}

function sentence({ proposal, in_force: inForce, why, band }) {
  if (proposal === null) return `No profile is proposed above the limit of ${band}: ${WHY[why] ?? why ?? "there is too little to learn from"}.`;
  if (same(proposal, inForce)) return `What recurs above the limit of ${band} is as the profile in force says.`;
  return `Above the limit of ${band}, a rise would count as a defrost where it is ${profileWords(proposal)}.`;
}

/** "at least 5 h 24 min after the last, no warmer than −8.5 °C, and no longer than 40 min". */
export function profileWords({ period_seconds: period, peak_celsius: peak, duration_seconds: duration }) {
  return `at least ${spanOf(Math.round(period))} after the last, no warmer than ${exactTemperature(peak, "celsius")}, and no longer than ${spanOf(Math.round(duration))}`;
}

function same(proposal, inForce) {
  return inForce !== null && ["period_seconds", "peak_celsius", "duration_seconds"].every((name) => proposal[name] === inForce[name]);
}

function evidence({ evidence: found, readings, from, to }) {
  return facts([
    ["Learned from", `${readings.toLocaleString("en-GB")} readings, ${timeWords(from)} to ${timeWords(to)}`],
    found && ["Borne out by", `${found.explained.toLocaleString("en-GB")} of ${found.rises.toLocaleString("en-GB")} rises that began a period apart, ${timeWords(found.from)} to ${timeWords(found.to)}`],
    found && ["Usually every", `${spanOf(Math.round(found.period_seconds))}, give or take ${spanOf(Math.round(found.jitter_seconds))}`],
    found && ["Usually up to", `${exactTemperature(found.peak_celsius, "celsius")} within ${spanOf(Math.round(found.duration_seconds))}, ${spanOf(Math.round(found.decay_seconds))} of them falling again`],
  ]);
}
