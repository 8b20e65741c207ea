// What correcting the past asks of REST. Draws nothing, decides nothing.

import { all, get, send } from "../rest.js";
import { toBand } from "../rest_unit.js";

const PREVIEW_TIMEOUT_MS = 60_000;

/** The organizations whose past the person may correct. */
export async function fetchManaged() {
  const { items } = await get("/api/v1/teams", {});
  return new Set(items.filter((team) => team.may_manage && team.organization !== null).map((team) => team.organization));
}

/** Versions of an organization's policies, the newest of each first: {id, label, bands}. */
export async function fetchPolicyVersions(organization) {
  const policies = await all("/api/v1/policies", { organization });
  const whole = await Promise.all(policies.map((policy) => get(`/api/v1/policies/${policy.id}`, {})));
  return whole.flatMap((policy) =>
    policy.versions.toReversed().map((version) => ({ id: version.id, label: `${policy.name}, version ${version.version}`, bands: (version.document.bands ?? []).map(toBand) })),
  );
}

/** The calibrations that a sensor's configurations applied, oldest first: {from, celsius}. */
export async function fetchCalibrations(sensor) {
  const { configurations } = await get(`/api/v1/sensors/${sensor}/registration`, {});
  return configurations.map((one) => ({ from: Date.parse(one.effective_at), celsius: one.calibration_celsius })).sort((one, other) => one.from - other.from);
}

/** What a correction would change: {corrections, readings, judged, changes}. */
export async function fetchPreview(order) {
  const answer = await send("POST", "/api/v1/corrections/preview", order, { timeout: PREVIEW_TIMEOUT_MS });
  return { ...answer, changes: answer.changes.map(toChange) };
}

export async function sendCorrection(order) {
  return send("POST", "/api/v1/corrections", order);
}

export async function sendRevocation(correction, comment) {
  return send("POST", `/api/v1/corrections/${correction}/revoke`, { comment });
}

function toChange(item) {
  return { ...item, before: toFacts(item.before), after: toFacts(item.after) };
}

function toFacts(item) {
  if (item === null) return null;
  return {
    unit: item.unit,
    startedAt: Date.parse(item.started_at),
    endedAt: item.ended_at === null ? null : Date.parse(item.ended_at),
    peak: item.peak_celsius,
    exposureMs: Math.round(item.exposure_seconds * 1000),
  };
}
