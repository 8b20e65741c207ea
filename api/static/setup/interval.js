// How often a sensor reports, as learned from its uplinks: the proposal with its evidence, and a button that takes it over.

import { get, send } from "../rest.js";
import { facts, make } from "./build.js";
import { actionButton } from "./form.js";
import { learnedFold } from "./learned.js";
import { outcomeWords, spanWords, timeWords } from "./said.js";

const WHY = {
  too_few: "there are too few gaps between its uplinks",
  too_irregular: "nothing explains its gaps, or something has just changed",
  unchanged: "it reports as the configuration says",
};

/** The fold on a sensor's page. */
export function learnedInterval(context, item) {
  return learnedFold({
    title: "What its uplinks say",
    from: "uplinks",
    ask: async () => shown(context, item, await get(`/api/v1/sensors/${item.id}/expected-interval`, {})),
  });
}

function shown(context, item, learned) {
  const { proposal } = learned;
  const nodes = [make("p", {}, sentence(learned)), evidence(learned)];
  if (proposal === null || proposal.interval_seconds === learned.in_force_seconds) return nodes;
  const accept = actionButton(context, {
    label: `Take over ${spanWords(proposal.interval_seconds)}`,
    isMain: true,
    run: () => send("POST", `/api/v1/sensors/${item.id}/expected-interval/accept`, { expected_interval_seconds: proposal.interval_seconds }),
    onDone: (answer) => context.stay(outcomeWords(answer)),
  });
  return [...nodes, accept].filter(Boolean);
}

function sentence({ proposal, why, in_force_seconds: inForce }) {
  if (proposal === null) return `No interval is proposed: ${WHY[why] ?? why ?? "there is too little to learn from"}.`;
  if (proposal.interval_seconds === inForce) return `It reports every ${spanWords(proposal.interval_seconds)}, as the configuration says.`;
  const held = inForce === null ? "no interval is in force" : `${spanWords(inForce)} is in force`;
  return `It seems to report every ${spanWords(proposal.interval_seconds)}; ${held}.`;
}

function evidence({ proposal, uplinks, gaps, longest_gap_seconds: longest, quantiles, from, to }) {
  const half = quantiles["50"] ?? quantiles["50.0"];
  return facts([
    ["Learned from", `${uplinks.toLocaleString("en-GB")} uplinks, ${timeWords(from)} to ${timeWords(to)}`],
    proposal && ["Borne out by", `${proposal.gaps.toLocaleString("en-GB")} gaps that are it or a multiple of it, ${proposal.singles.toLocaleString("en-GB")} of them it itself`],
    proposal && ["Share of the time they fill", `${Number((100 * proposal.explained_fraction).toFixed(1))} %`],
    proposal && ["Jitter", `${Number(proposal.jitter_seconds.toFixed(1))} s`],
    gaps > 0 && half !== undefined && ["Half of the gaps are no longer than", spanWords(Math.round(half))],
    gaps > 0 && ["Longest gap", spanWords(Math.round(longest))],
  ]);
}
