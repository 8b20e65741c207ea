// The bands of a policy in words: what is an excursion, what ends it, and what is left of a budget. Takes a band as the policy document has it; pure.

import { exactTemperature, momentWords } from "./words.js";

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** "Above 8 °C for 15 min", "4 h in all above 5 °C within 24 h", "Mean of each hour above 8 °C", "Mean kinetic temperature over 24 h above 8 °C". */
export function bandWords(band, degrees) {
  const beyond = beyondWords(band, degrees);
  switch (band.kind ?? "sustained") {
    case "sustained":
      return sustainedWords(band, capital(beyond));
    case "cumulative":
      return `${spanOf(band.budget_seconds)} in all ${beyond} ${band.window_seconds ? `within ${spanOf(band.window_seconds)}` : "since the sensor came to the unit"}`;
    case "mean":
      return `Mean of each ${stretchOf(band.window_seconds)} ${beyond}`;
    case "mkt":
      return `Mean kinetic temperature over ${spanOf(band.window_seconds)} ${beyond}`;
    default:
      return `${capital(beyond)} (${band.kind})`;
  }
}

/** "Over when back at 7.5 °C or below", "Over once less than 4 h in all"; with how much must be known where that counts. */
export function endWords(band, degrees) {
  switch (band.kind ?? "sustained") {
    case "sustained":
      return `Over when back ${backWords(band, degrees)}${band.recovery_hold_seconds ? ` for ${spanOf(band.recovery_hold_seconds)}` : ""}`;
    case "cumulative":
      return band.window_seconds ? `Over once less than ${spanOf(band.budget_seconds - (band.rearm_seconds ?? 0))} in all, and back in range` : "Over only when the sensor leaves the unit";
    case "mean":
      return `Over with the first ${stretchOf(band.window_seconds)} whose mean is in range; ${knownWords(band)}`;
    case "mkt":
      return `Over when it is back ${backWords(band, degrees)}; ${knownWords(band)}`;
    default:
      return "";
  }
}

/** "Operational. Held back in a defrost and in declared maintenance: not live yet."; nothing of a band for compliance. The flows know no causes yet (ADR 0013). */
export function roleWords(band) {
  if (band.role !== "operational") return "";
  const { defrost, door, maintenance, door_grace_seconds: grace = 1_200 } = band.suppress ?? {};
  const causes = [defrost && "in a defrost", door && `for ${spanOf(grace)} after a door was open`, maintenance && "in declared maintenance"].filter(Boolean);
  return causes.length === 0 ? "Operational." : `Operational. Held back ${listOf(causes)}: not live yet.`;
}

/** "3 h 12 min left; 1 h 12 min if the 2 h unknown were warm. At this temperature used up at 16:40." */
export function budgetWords(budget, now, zone) {
  if (budget.leftSeconds <= 0) return "Used up.";
  const left = roughSpan(budget.leftSeconds);
  const atWorst = roughSpan(budget.leftAtWorstSeconds);
  const warm = budget.side === "low" ? "cold" : "warm";
  const worst = atWorst === left ? "" : `; ${budget.leftAtWorstSeconds <= 0 ? "nothing" : atWorst} if the ${roughSpan(budget.unknownSeconds)} unknown were ${warm}`;
  const forecast = budget.usedUpAt === null ? "" : ` At this temperature used up at ${momentWords(budget.usedUpAt, now, zone)}.`;
  return `${left} left${worst}.${forecast}`;
}

/** "3 d 4 h", "3 h 12 min", "40 s": begun minutes, and from two days on begun hours, are left out. */
function roughSpan(seconds) {
  if (seconds >= 2 * DAY) return [`${Math.floor(seconds / DAY)} d`, `${Math.floor((seconds % DAY) / HOUR)} h`].filter((part) => part !== "0 h").join(" ");
  const unit = seconds >= MINUTE ? MINUTE : 1;
  return spanOf(Math.floor(seconds / unit) * unit);
}

/** "15 min", "24 h", "30 days", "2 h 30 min". */
export function spanOf(seconds) {
  if (seconds >= 2 * DAY && seconds % DAY === 0) return `${seconds / DAY} days`;
  const hours = Math.floor(seconds / HOUR);
  const minutes = Math.floor((seconds % HOUR) / MINUTE);
  const rest = Number((seconds % MINUTE).toFixed(3));
  const parts = [hours && `${hours} h`, minutes && `${minutes} min`, rest && `${rest} s`].filter(Boolean);
  return parts.join(" ") || "0 s";
}

function listOf(parts) {
  return parts.length < 3 ? parts.join(" and ") : `${parts.slice(0, -1).join(", ")}, and ${parts.at(-1)}`;
}

function sustainedWords(band, beyond) {
  if (!band.hold_seconds) return `${beyond}, at the first reading`;
  const readings = (band.min_samples ?? 1) > 1 ? `, with at least ${band.min_samples} readings` : "";
  return `${beyond} for ${spanOf(band.hold_seconds)}${readings}`;
}

function stretchOf(seconds) {
  return { [MINUTE]: "minute", [HOUR]: "hour", [DAY]: "day (UTC)" }[seconds] ?? spanOf(seconds);
}

function beyondWords(band, degrees) {
  const word = band.side === "low" ? "below" : "above";
  return `${band.inclusive ? `at or ${word}` : word} ${exactTemperature(band.limit_celsius, degrees)}`;
}

function backWords(band, degrees) {
  const isLow = band.side === "low";
  const margin = band.recovery_margin_celsius ?? 0;
  const limit = exactTemperature(band.limit_celsius + (isLow ? margin : -margin), degrees);
  if (band.inclusive && margin === 0) return `${isLow ? "above" : "below"} ${limit}`;
  return `at ${limit} or ${isLow ? "above" : "below"}`;
}

function knownWords(band) {
  const percent = Number((100 * (band.min_known_fraction ?? 0.5)).toFixed(1));
  return percent === 0 ? "judged if any of it is known" : `judged if at least ${percent} % of it is known`;
}

function capital(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
