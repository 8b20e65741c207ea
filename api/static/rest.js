// The REST side of docs/api.md: one function a route, answers turned into the page's own records. Draws nothing.

import { currentToken } from "./session.js";

/** The session is over: only signing in helps. */
export class SignedOut extends Error {}

/** The server could not answer; trying again may help. `message` says so in words for people; `code` is empty where there was no answer. */
export class Unavailable extends Error {
  constructor(message, code = "") {
    super(message);
    this.code = code;
  }
}

/** The server refused what was asked; `code` as in docs/api.md, `body` the whole answer. */
export class Refused extends Error {
  constructor(message, code = "", body = null) {
    super(message);
    this.code = code;
    this.body = body;
  }
}

const TIMEOUT_MS = 30_000;
const PAGE_OF_UNITS = 2_000;
const PAGES_AT_MOST = 200;

let clockAheadMs = 0;

/** The server's time: ages must not depend on a wrong clock of the viewer's machine. */
export function serverNow() {
  return Date.now() + clockAheadMs;
}

export async function fetchSignIn() {
  const answer = await get("/api/v1/sign-in", {});
  return answer.sandbox_sign_in_url;
}

export async function fetchMe() {
  return get("/api/v1/me", {});
}

export async function fetchSites() {
  const { items } = await get("/api/v1/sites", {});
  return items.map((site) => ({ id: site.id, organization: site.organization, name: site.name, zone: site.time_zone }));
}

/** Hand every page of units to `onPage` as it comes, so that the first can be shown before the last is here. */
export async function fetchUnits(onPage) {
  await pages("/api/v1/units", { limit: PAGE_OF_UNITS }, (items) => onPage(items.map(toUnit)));
}

export async function fetchSensors(onPage) {
  await pages("/api/v1/sensors", { limit: PAGE_OF_UNITS }, (items) => onPage(items.map(toSensor)));
}

/** One unit with its sensors. */
export async function fetchUnit(id) {
  const unit = await get(`/api/v1/units/${id}`, {});
  return { unit: toUnit(unit), sensors: unit.sensors.map(toSensor) };
}

export async function fetchOpenExcursions() {
  const excursions = [];
  await pages("/api/v1/excursions", { open: true, limit: 1_000 }, (items) => excursions.push(...items.map(toExcursion)));
  return excursions;
}

export async function fetchClosedExcursions(from, to) {
  const { items } = await get("/api/v1/excursions", { open: false, from: iso(from), to: iso(to), limit: 200 });
  return items.map(toExcursion);
}

function toUnit(item) {
  return {
    id: item.id,
    site: item.site,
    name: item.name,
    state: item.state,
    since: timeOrNull(item.since),
    latest: item.latest ? toReading(item.latest) : null,
  };
}

function toSensor(item) {
  const gap = item.configuration?.max_gap_seconds;
  const interval = item.configuration?.expected_interval_seconds;
  return {
    id: item.id,
    unit: item.unit,
    probe: item.probe,
    state: item.state,
    since: timeOrNull(item.since),
    latest: item.latest ? toReading(item.latest) : null,
    maxGapMs: gap ? gap * 1000 : null,
    offlineAfterMs: item.configuration?.offline_after_seconds ? item.configuration.offline_after_seconds * 1000 : null,
    intervalMs: interval ? interval * 1000 : null,
  };
}

/** A reading as REST and events write it. */
export function toReading(item) {
  return {
    sensor: item.sensor,
    unit: item.unit,
    measuredAt: Date.parse(item.measured_at),
    temperature: item.temperature_celsius ?? null,
    rawTemperature: item.raw_temperature_celsius ?? null,
    humidity: item.humidity_percent ?? null,
    batteryVolts: item.battery_volts ?? null,
    batteryPercent: item.battery_percent ?? null,
    doorOpen: item.door_open ?? null,
    fault: item.fault ?? null,
  };
}

/** An excursion as REST writes it, or the data of an alert with the envelope's site and unit. */
export function toExcursion(item) {
  return {
    id: item.id,
    version: item.version,
    site: item.site,
    unit: item.unit,
    sensor: item.sensor ?? null,
    band: item.band ?? "",
    side: item.side ?? "high",
    severity: item.severity,
    limit: item.limit_celsius ?? null,
    startedAt: Date.parse(item.started_at),
    openedAt: Date.parse(item.opened_at),
    endedAt: timeOrNull(item.ended_at),
    closedAt: timeOrNull(item.closed_at),
    endedBy: item.ended_by ?? null,
    late: item.late ?? false,
    knownAt: timeOrNull(item.known_at),
    reason: item.reason ?? null,
    asOf: timeOrNull(item.as_of),
    peak: item.peak_celsius ?? null,
    mean: item.mean_celsius ?? null,
    degreeMinutes: item.degree_minutes ?? null,
    exposureMs: spanOrNull(item.exposure_seconds),
    unknownMs: spanOrNull(item.unknown_seconds),
    suppressedMs: spanOrNull(item.suppressed_seconds),
    samples: item.samples ?? null,
    largestGapMs: spanOrNull(item.largest_gap_seconds),
  };
}

function spanOrNull(seconds) {
  return seconds === null || seconds === undefined ? null : Math.round(seconds * 1000);
}

export function timeOrNull(text) {
  return text ? Date.parse(text) : null;
}

export function iso(at) {
  return new Date(at).toISOString();
}

export async function pages(path, parameters, onPage, signal) {
  let cursor = null;
  for (let page = 0; page < PAGES_AT_MOST; page += 1) {
    const answer = await get(path, cursor === null ? parameters : { ...parameters, cursor }, signal);
    onPage(answer.items);
    cursor = answer.next;
    if (!cursor) return;
  }
}

export async function get(path, parameters, signal) {
  return ask("GET", path, parameters, { signal });
}

/** Ask for a change; `body` goes as JSON, or as it is where `type` names another media type. */
export async function send(method, path, body, { parameters = {}, type = "application/json", timeout = TIMEOUT_MS } = {}) {
  return ask(method, path, parameters, { timeout, body: type === "application/json" ? JSON.stringify(body) : body, type });
}

/** Every item of a list, page by page. */
export async function all(path, parameters) {
  const found = [];
  await pages(path, { limit: PAGE_OF_UNITS, ...parameters }, (items) => found.push(...items));
  return found;
}

async function ask(method, path, parameters, { signal, body: sent, type, timeout = TIMEOUT_MS }) {
  const query = new URLSearchParams(parameters).toString();
  const token = currentToken();
  const deadline = AbortSignal.timeout(timeout);
  let response;
  let body;
  try {
    response = await fetch(query ? `${path}?${query}` : path, {
      method,
      headers: { ...(token ? { "x-stack-access-token": token } : {}), ...(type ? { "content-type": type } : {}) },
      body: sent,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      cache: "no-store",
    });
    noteServerClock(response);
    body = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unavailable(method === "GET" ? "The server does not answer. Check your connection; this page tries again by itself." : "The server did not answer. Check your connection, then send it again: doing so twice does no harm.");
  }
  if (response.ok) return body;
  const message = body?.error?.message ?? `The server answered ${response.status}.`;
  if (response.status === 401) throw new SignedOut(message);
  if (response.status >= 500) throw new Unavailable(message, body?.error?.code);
  throw new Refused(message, body?.error?.code, body);
}

function noteServerClock(response) {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) return;
  const ahead = date + 500 - Date.now();
  // The header has whole seconds: a smaller difference means nothing.
  clockAheadMs = Math.abs(ahead) < 2_000 ? 0 : ahead;
}
