// What may hold back an operational band of kind `sustained`, as fields of the band's form. Pure but for the fields' nodes.

import { field } from "./fields.js";

const CAUSES = [
  ["defrost", "Held back in a defrost"],
  ["door", "Held back after a door was open"],
  ["maintenance", "Held back in declared maintenance"],
];
const TIMES = [
  ["door_after_seconds", "The rise begins within", 600],
  ["door_grace_seconds", "Held back for at most", 1_200],
];

/** The fields; of a band that is too cold only maintenance explains anything. */
export function suppressFields(band) {
  const written = band.suppress ?? {};
  const causes = CAUSES.filter(([name]) => name === "maintenance" || band.side !== "low");
  return [
    ...causes.map(([name, label]) => field({ name: `suppress.${name}`, label, kind: "check", value: written[name] })),
    ...(band.side === "low" ? [] : TIMES.map(([name, label, usual]) => field({ name: `suppress.${name}`, label, kind: "duration", value: written[name] ?? null, hint: `After the door; empty: ${usual / 60} min.` }))),
  ];
}

/** A band's flat fields as the document has them: `suppress` only where something in it holds, its times only where a door does. */
export function withSuppress(values) {
  const band = {};
  const suppress = {};
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("suppress.")) suppress[name.slice("suppress.".length)] = value;
    else band[name] = value;
  }
  if (!suppress.door) for (const [name] of TIMES) delete suppress[name];
  return CAUSES.some(([name]) => suppress[name]) ? { ...band, suppress } : band;
}
