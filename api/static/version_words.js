// What each version of an excursion says, in words: why it was written and what it changed. Takes versions as rest_unit.js has them; pure.

import { exactMoment } from "./figure_words.js";
import { durationWords, exactTemperature, temperatureWords } from "./words.js";

const REASONS = {
  opened: "Opened",
  closed: "Closed",
  late: "Changed by late readings",
  correction: "Changed by a correction",
  policy: "Changed by its policy",
  assignment: "Changed by where the sensor was assigned",
  void: "Voided: no longer believed",
};

const ENDED_BY = { recovery: "back in range", policy: "another policy", assignment: "sensor left the unit" };

/** How a field is called, and which kind of value it has; in the order in which changes are told. */
const FIELDS = {
  started_at: ["Started", "time"],
  opened_at: ["Became an excursion", "time"],
  ended_at: ["Ended", "end"],
  closed_at: ["Closed", "end"],
  ended_by: ["Ended by", "ending"],
  peak_celsius: ["Peak", "temperature"],
  exposure_seconds: ["Out of range", "span"],
  unknown_seconds: ["Unknown", "span"],
  suppressed_seconds: ["Suppressed", "span"],
  known_seconds: ["Known", "span"],
  degree_minutes: ["Degree minutes", "number"],
  mean_celsius: ["Mean", "temperature"],
  samples: ["Readings", "number"],
  largest_gap_seconds: ["Longest gap", "span"],
  limit_celsius: ["Limit", "limit"],
  severity: ["Severity", "text"],
  policy_version: ["Policy version", "text"],
  late: ["Found late", "yes"],
};

/** Why a version was written; of the first one `late` says how it was found. */
export function reasonWords(version) {
  if (version.reason === "late" && version.version === 1) return "Found by late readings";
  if (version.version === 1 && version.reason !== "void" && version.reason !== "closed") return version.reason === "opened" ? REASONS.opened : `Found: ${lower(REASONS[version.reason] ?? version.reason)}`;
  return REASONS[version.reason] ?? version.reason;
}

/**
 * What a version says otherwise than the one before: [name, old, new] in words, of the fields in its `changed`.
 * @param {{changed: string[], facts: object}} version `facts` as docs/api.md names them
 */
export function changeWords(version, before, { zone, degrees }) {
  if (!before) return [];
  const order = Object.keys(FIELDS);
  const place = (name) => (order.indexOf(name) < 0 ? order.length : order.indexOf(name));
  return [...version.changed]
    .sort((one, other) => place(one) - place(other))
    .map((name) => {
      const [title, kind] = FIELDS[name] ?? unnamed(name);
      const side = name === "peak_celsius" && version.facts.side === "low" ? "Lowest" : title;
      return [side, valueWords(before.facts[name], kind, zone, degrees), valueWords(version.facts[name], kind, zone, degrees)];
    })
    .filter(([, old, current]) => old !== current);
}

function valueWords(value, kind, zone, degrees) {
  if (value === null || value === undefined) return kind === "end" ? "open" : "none";
  switch (kind) {
    case "time":
    case "end":
      return exactMoment(Date.parse(value), zone);
    case "ending":
      return ENDED_BY[value] ?? String(value);
    case "temperature":
      return temperatureWords(value, degrees);
    case "limit":
      return exactTemperature(value, degrees);
    case "span":
      return durationWords(value * 1000);
    case "number":
      return value.toLocaleString("en-GB", { maximumFractionDigits: 1 });
    case "yes":
      return value ? "yes" : "no";
    default:
      return String(value);
  }
}

/** A field that this page does not know is told by its own name. */
function unnamed(name) {
  const kind = name.endsWith("_seconds") ? "span" : name.endsWith("_celsius") ? "temperature" : name.endsWith("_at") ? "time" : "text";
  const plain = name.replace(/_(seconds|celsius|at)$/, "").replaceAll("_", " ");
  return [plain.charAt(0).toUpperCase() + plain.slice(1), kind];
}

function lower(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
