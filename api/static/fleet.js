// What the page knows of units, sensors and excursions, whichever of REST and WebSocket said it last. Draws nothing, asks nothing.

import { isKnown, rank, shownState } from "./states.js";
import { toExcursion, toReading } from "./rest.js";

/** Closed excursions kept for the list; more would be scrolled by nobody. */
const CLOSED_AT_MOST = 200;

export class Fleet {
  constructor() {
    this.sites = new Map();
    this.units = new Map();
    this.sensors = new Map();
    this.open = new Map();
    this.closed = new Map();
    this.changes = noChanges();
    this.toldSinceFetch = new Set();
    this.fetches = 0;
  }

  /** What has changed since the last call: ids of units, and whether the set of units, a state or an excursion did. */
  takeChanges() {
    const changes = this.changes;
    this.changes = noChanges();
    return changes;
  }

  putSites(sites) {
    this.sites = new Map(sites.map((site) => [site.id, site]));
    this.changes.structure = true;
  }

  putUnits(items, now) {
    for (const item of items) {
      let unit = this.units.get(item.id);
      if (!unit) {
        unit = newUnit(item.id);
        this.units.set(item.id, unit);
        this.changes.structure = true;
      }
      if (unit.name !== item.name || unit.site !== item.site) this.changes.structure = true;
      unit.name = item.name;
      unit.site = item.site;
      takeState(unit, item);
      if (item.latest) this.takeLatest(item.latest, unit);
      this.judge(unit, now);
    }
  }

  /** Drop the units that a complete fetch no longer had. */
  keepUnits(ids) {
    for (const id of this.units.keys()) {
      if (ids.has(id)) continue;
      this.units.delete(id);
      this.changes.structure = true;
    }
  }

  putSensors(items, now) {
    for (const item of items) {
      const unit = this.units.get(item.unit);
      this.leaveOthers(item.id, unit, now);
      if (!unit) continue;
      const sensor = this.sensorOf(unit, item.id);
      sensor.probe = item.probe;
      sensor.maxGapMs = item.maxGapMs;
      sensor.offlineAfterMs = item.offlineAfterMs;
      sensor.intervalMs = item.intervalMs;
      takeState(sensor, item);
      if (item.latest) this.takeLatest(item.latest, unit);
      else if (sensor.toldIn !== this.fetches) forgetValue(sensor);
      this.judge(unit, now);
    }
  }

  /** A sensor that was moved, or watches nothing any more, no longer stands at the unit where it was. */
  leaveOthers(id, unit, now) {
    const sensor = this.sensors.get(id);
    const old = sensor && this.units.get(sensor.unit);
    if (!old || old === unit) return;
    old.sensors = old.sensors.filter((one) => one !== sensor);
    if (old.headline === sensor) old.headline = null;
    sensor.unit = unit?.id ?? 0;
    this.changes.units.add(old.id);
    this.judge(old, now);
  }

  putOpenExcursions(excursions) {
    for (const id of this.open.keys()) {
      if (!this.toldSinceFetch.has(id)) this.open.delete(id);
    }
    for (const excursion of excursions) {
      if (!this.toldSinceFetch.has(excursion.id)) this.open.set(excursion.id, excursion);
    }
    this.changes.excursions = true;
  }

  putClosedExcursions(excursions) {
    for (const excursion of excursions) {
      if (!this.toldSinceFetch.has(excursion.id) && excursion.closedAt !== null) this.closed.set(excursion.id, excursion);
    }
    this.changes.excursions = true;
  }

  /** From here on, what events say of an excursion or a sensor outweighs the fetch that begins now. */
  beginFetch() {
    this.toldSinceFetch = new Set();
    this.fetches += 1;
  }

  /** Take an event of the WebSocket; returns the excursion that was opened or closed by it, or null. */
  takeEvent(event, now) {
    switch (event.event) {
      case "sensor:readings:batch":
        for (const reading of event.data.readings) this.takeLiveReading(toReading(reading), now);
        return null;
      case "sensor:reading":
        this.takeLiveReading(toReading(event.data), now);
        return null;
      case "unit:state:changed":
        this.takeStateEvent(event, now);
        return null;
      case "alert:triggered":
      case "alert:resolved":
        return this.takeAlert(event);
      default:
        return null;
    }
  }

  /** Let values run out: a state that rested on one becomes unknown. */
  passTime(now) {
    for (const unit of this.units.values()) this.judge(unit, now);
    for (const [id, excursion] of this.closed) {
      if (excursion.closedAt < now - 86_400_000) {
        this.closed.delete(id);
        this.changes.excursions = true;
      }
    }
  }

  takeLiveReading(reading, now) {
    const unit = this.units.get(reading.unit);
    if (!unit || !this.takeReading(reading, unit)) return;
    this.sensorOf(unit, reading.sensor).toldIn = this.fetches;
    for (const excursion of this.open.values()) this.takePeak(excursion, reading);
    this.judge(unit, now);
    this.changes.units.add(unit.id);
  }

  /** Take what the server has as a sensor's newest, also what is older or otherwise than what is shown: a correction may have deleted or changed that. What came live since the fetch began is newer. */
  takeLatest(reading, unit) {
    const sensor = this.sensorOf(unit, reading.sensor);
    const was = sensor.temperature;
    if (sensor.toldIn !== this.fetches) forgetValue(sensor);
    this.takeReading(reading, unit);
    if (sensor.temperature !== was) this.changes.units.add(unit.id);
  }

  /** Whether the reading was news. */
  takeReading(reading, unit) {
    const sensor = this.sensorOf(unit, reading.sensor);
    if (reading.humidity !== null) unit.humidity = reading.humidity;
    if (reading.batteryVolts !== null) unit.batteryVolts = reading.batteryVolts;
    if (reading.batteryPercent !== null) unit.batteryPercent = reading.batteryPercent;
    if (reading.doorOpen !== null) unit.doorOpen = reading.doorOpen;
    const saysTemperature = reading.temperature !== null || reading.fault !== null;
    if (!saysTemperature || reading.measuredAt <= sensor.measuredAt) return !saysTemperature;
    sensor.temperature = reading.temperature;
    sensor.fault = reading.fault;
    sensor.measuredAt = reading.measuredAt;
    return true;
  }

  takePeak(excursion, reading) {
    if (excursion.sensor !== reading.sensor || reading.temperature === null || reading.measuredAt < excursion.startedAt) return;
    const isFurther = excursion.side === "low" ? reading.temperature < excursion.peak : reading.temperature > excursion.peak;
    if (excursion.peak !== null && !isFurther) return;
    excursion.peak = reading.temperature;
    this.changes.excursions = true;
  }

  takeStateEvent(event, now) {
    const unit = this.units.get(event.unit);
    if (!unit) return;
    const since = Date.parse(event.data.since);
    takeState(unit, { state: event.data.state, since });
    for (const [id, state] of Object.entries(event.data.sensors ?? {})) {
      const sensor = this.sensorOf(unit, Number(id));
      sensor.state = state;
      sensor.since = since;
    }
    this.judge(unit, now);
    this.changes.units.add(unit.id);
  }

  takeAlert(event) {
    if (event.data.category !== "temperature") return null;
    const excursion = toExcursion({ ...event.data, site: event.site, unit: event.unit });
    const known = this.open.get(excursion.id) ?? this.closed.get(excursion.id);
    if (known && known.version > excursion.version) return null;
    this.toldSinceFetch.add(excursion.id);
    this.open.delete(excursion.id);
    this.closed.delete(excursion.id);
    const isOpen = event.event === "alert:triggered" && excursion.closedAt === null;
    if (isOpen) this.open.set(excursion.id, excursion);
    else if (excursion.closedAt !== null) this.closed.set(excursion.id, excursion);
    if (this.closed.size > CLOSED_AT_MOST) this.closed.delete(this.closed.keys().next().value);
    this.changes.excursions = true;
    return excursion;
  }

  sensorOf(unit, id) {
    let sensor = this.sensors.get(id);
    if (!sensor) {
      sensor = newSensor(id, unit);
      this.sensors.set(id, sensor);
    }
    if (!unit.sensors.includes(sensor)) {
      unit.sensors.push(sensor);
      unit.sensors.sort((one, other) => one.id - other.id);
    }
    return sensor;
  }

  /** Choose what stands for the unit: the sensor in the worst state, and that state or the server's word on the unit if worse. */
  judge(unit, now) {
    let headline = null;
    let worst = null;
    const measuring = unit.sensors.filter(hasMeasured);
    for (const sensor of measuring.length ? measuring : unit.sensors) {
      const state = shownState(sensor, now);
      if (worst === null || rank(state) < rank(worst)) {
        worst = state;
        headline = sensor;
      }
    }
    const told = worst === null ? unit.state : rank(unit.state) < rank(worst) && !isSettledBySensors(unit) ? unit.state : worst;
    const isKnownNow = headline !== null && isKnown(headline, now);
    if (told !== unit.shown) this.changes.states = true;
    else if (isKnownNow === unit.isKnown && headline === unit.headline) return;
    unit.shown = told;
    unit.headline = headline;
    unit.isKnown = isKnownNow;
    this.changes.units.add(unit.id);
  }
}

/** Whether a sensor has ever said a temperature, or why it has none: a door contact beside a probe makes nothing unknown. */
function hasMeasured(sensor) {
  return sensor.temperature !== null || sensor.fault !== null;
}

/** A sensor that says nothing until the next reading. */
function forgetValue(sensor) {
  sensor.temperature = null;
  sensor.fault = null;
  sensor.measuredAt = 0;
}

/** Whether the sensors' own states are newer than what was said of the whole unit. */
function isSettledBySensors(unit) {
  return unit.sensors.every((sensor) => sensor.since !== null && unit.since !== null && sensor.since > unit.since);
}

function takeState(target, item) {
  if (item.since !== null && target.since !== null && item.since < target.since) return;
  target.state = item.state;
  target.since = item.since;
}

function noChanges() {
  return { units: new Set(), structure: false, states: false, excursions: false };
}

function newUnit(id) {
  return {
    id, site: 0, name: "", state: "unknown", since: null, sensors: [], headline: null, shown: "unknown", isKnown: false,
    humidity: null, batteryVolts: null, batteryPercent: null, doorOpen: null,
  };
}

function newSensor(id, unit) {
  return {
    id, unit: unit.id, probe: "", state: unit.state, since: unit.since, temperature: null, fault: null, measuredAt: 0,
    maxGapMs: null, offlineAfterMs: null, intervalMs: null, toldIn: null,
  };
}
