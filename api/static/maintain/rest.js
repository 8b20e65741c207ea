// What declaring, ending and revoking maintenance ask of REST. Draws nothing, decides nothing.

import { send } from "../rest.js";

const PREVIEW_TIMEOUT_MS = 60_000;

/** Where each is asked; with /preview behind it, what it would change. */
export function pathOf(kind, { unit, window }) {
  return kind === "declare" ? `/api/v1/units/${unit}/maintenance` : `/api/v1/maintenance/${window}/${kind}`;
}

/** Whose alarms would be told otherwise: {judged, changes}. */
export async function fetchPreview(path, { comment, ...order }) {
  const { judged, changes } = await send("POST", `${path}/preview`, order, { timeout: PREVIEW_TIMEOUT_MS });
  return { judged, changes: changes.map(toChange) };
}

export async function sendOrder(path, order) {
  return send("POST", path, order);
}

function toChange(item) {
  return {
    outcome: item.outcome,
    band: item.band,
    startedAt: Date.parse(item.started_at),
    endedAt: item.ended_at === null ? null : Date.parse(item.ended_at),
    openedBefore: item.opened_before === null ? null : Date.parse(item.opened_before),
    openedAfter: item.opened_after === null ? null : Date.parse(item.opened_after),
    peak: item.peak_celsius,
    exposureMs: Math.round(item.exposure_seconds * 1000),
  };
}
