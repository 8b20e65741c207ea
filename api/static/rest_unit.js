// What the panel of one unit asks of REST: values, policies, excursions and their versions, conditions and budgets. Draws nothing.

import { get, iso, pages, timeOrNull, toExcursion, toReading } from "./rest.js";

const PAGE_OF_READINGS = 10_000;
const PAGE_OF_VERSIONS = 1_000;
const EXCURSIONS_AT_MOST = 1_000;
/** Policy changes of one unit within a stretch that are looked up: each costs a question. */
const POLICIES_AT_MOST = 20;

/** What a unit is judged by at an instant (ms): its bands, and the terms of conditions by their names. */
export async function fetchInForce(unit, at, signal) {
  const { bands, conditions } = await get(`/api/v1/units/${unit}/policy`, at === null ? {} : { at: iso(at) }, signal);
  return { bands: bands.map(toBand), terms: conditions ?? {} };
}

/** A band of a policy document as the page has it. */
export function toBand(band) {
  return { name: band.name, kind: band.kind, side: band.side, limit: band.limit_celsius, severity: band.severity, document: band };
}

/** Maintenance that is declared for a unit and holds at any instant of a stretch. */
export async function fetchMaintenance(unit, from, to, signal) {
  const found = [];
  const asked = { unit, from: iso(from), to: iso(to), standing: true, limit: 1_000 };
  await pages("/api/v1/maintenance", asked, (items) => found.push(...items.map(toWindow)), signal);
  return found;
}

/** The policies in force over a stretch, oldest first: [{effectiveAt, bands}]; the first may have begun long before. */
export async function fetchPolicies(unit, from, to, signal) {
  const { policies } = await get(`/api/v1/units/${unit}/registration`, {}, signal);
  const begun = policies.map((policy) => Date.parse(policy.effective_at)).filter((at) => at < to);
  const before = begun.filter((at) => at <= from);
  const instants = [...before.slice(-1), ...begun.filter((at) => at > from)].slice(-POLICIES_AT_MOST);
  return Promise.all(instants.map(async (at) => ({ effectiveAt: at, bands: (await fetchInForce(unit, at, signal)).bands })));
}

/** What stands of a unit right now beside its values: budgets by sensor (null: too many readings to add up), devices of its sensors, open conditions. */
export async function fetchStanding(unit, signal) {
  const { sensors, conditions } = await get(`/api/v1/units/${unit}`, {}, signal);
  return {
    budgets: new Map(sensors.map((sensor) => [sensor.id, sensor.budgets ? sensor.budgets.map(toBudget) : sensor.budgets])),
    devices: new Map(sensors.map((sensor) => [sensor.id, sensor.device?.id ?? null])),
    conditions: (conditions ?? []).map(toCondition),
  };
}

/** The conditions of a unit that overlap a stretch. */
export async function fetchConditions(unit, from, to, signal) {
  const found = [];
  await pages("/api/v1/conditions", { unit, from: iso(from), to: iso(to), limit: 1_000 }, (items) => found.push(...items.map(toCondition)), signal);
  return found;
}

/** The corrections of a unit and of a sensor, oldest first. */
export async function fetchCorrections(unit, sensor, signal) {
  const found = new Map();
  const take = (items) => items.forEach((item) => found.set(item.id, toCorrection(item)));
  await Promise.all([{ unit }, { sensor }].map((about) => pages("/api/v1/corrections", { ...about, limit: 1_000 }, take, signal)));
  return [...found.values()].sort((one, other) => one.madeAt - other.madeAt);
}

export async function fetchReadings(sensor, from, to, knownAt, signal) {
  const readings = [];
  await pages("/api/v1/readings", { sensor, from: iso(from), to: iso(to), limit: PAGE_OF_READINGS, ...asKnown(knownAt) }, (items) => {
    for (const item of items) readings.push(toReading(item));
  }, signal);
  return readings;
}

export async function fetchBuckets(sensor, from, to, seconds, knownAt, signal) {
  const { items } = await get("/api/v1/readings/buckets", { sensor, from: iso(from), to: iso(to), seconds, ...asKnown(knownAt) }, signal);
  return items.map((bucket) => ({
    from: Date.parse(bucket.from),
    to: Date.parse(bucket.to),
    knownMs: bucket.known_seconds * 1000,
    lowest: bucket.min_celsius,
    highest: bucket.max_celsius,
    mean: bucket.mean_celsius,
  }));
}

/** The excursions of a unit that overlap a stretch: those that stand, or stood at `knownAt`; with `voided` those that were voided by then. */
export async function fetchUnitExcursions(unit, from, to, { knownAt, voided, signal }) {
  const asked = { unit, from: iso(from), to: iso(to), limit: EXCURSIONS_AT_MOST, ...asKnown(knownAt), ...(voided ? { voided } : {}) };
  const { items } = await get("/api/v1/excursions", asked, signal);
  return items.map(toExcursion);
}

/** Every version of an excursion, oldest first. */
export async function fetchVersions(excursion, signal) {
  const versions = [];
  await pages(`/api/v1/excursions/${excursion}/versions`, { limit: PAGE_OF_VERSIONS }, (items) => versions.push(...items.map(toVersion)), signal);
  return versions;
}

function toVersion(item) {
  return { ...toExcursion(item), changed: item.changed ?? [], supersededBy: item.superseded_by ?? null, facts: item };
}

function toCondition(item) {
  return {
    id: item.id,
    device: item.device,
    sensor: item.sensor ?? null,
    kind: item.kind,
    band: item.band ?? null,
    alert: item.alert ?? "none",
    detail: item.detail ?? null,
    endedBy: item.ended_by ?? null,
    startedAt: Date.parse(item.started_at),
    openedAt: Date.parse(item.opened_at ?? item.started_at),
    endedAt: timeOrNull(item.ended_at),
    closedAt: timeOrNull(item.closed_at ?? item.ended_at),
  };
}

function toCorrection(item) {
  return {
    id: item.id,
    kind: item.kind,
    from: Date.parse(item.from),
    to: timeOrNull(item.to),
    calibration: item.calibration_celsius ?? null,
    sensor: item.sensor ?? null,
    unit: item.unit ?? null,
    madeBy: item.made_by,
    madeAt: Date.parse(item.made_at),
    comment: item.comment ?? "",
    revokedAt: timeOrNull(item.revoked_at),
    revokedBy: item.revoked_by ?? null,
    revocation: item.revocation_comment ?? "",
  };
}

function toWindow(item) {
  return {
    id: item.id,
    from: Date.parse(item.from),
    to: Date.parse(item.to),
    declaredBy: item.declared_by,
    declaredAt: Date.parse(item.declared_at),
    comment: item.comment ?? "",
    endedAt: timeOrNull(item.ended_at),
    endedBy: item.ended_by ?? null,
    endComment: item.end_comment ?? "",
  };
}

function toBudget(item) {
  return {
    band: item.band,
    side: item.side,
    budgetSeconds: item.budget_seconds,
    usedSeconds: item.used_seconds,
    leftSeconds: item.left_seconds,
    leftAtWorstSeconds: item.left_at_worst_seconds,
    unknownSeconds: item.unknown_seconds,
    usedUpAt: timeOrNull(item.used_up_at),
  };
}

function asKnown(knownAt) {
  return knownAt === null ? {} : { known_at: iso(knownAt) };
}
