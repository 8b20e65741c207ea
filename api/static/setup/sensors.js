// The list of sensors, and registering one.

import { all, send } from "../rest.js";
import { head, link } from "./build.js";
import { field } from "./fields.js";
import { form } from "./form.js";
import { to } from "./place.js";
import { euiWords, outcomeWords, spanWords, timeWords, zoneName } from "./said.js";
import { showSensor } from "./sensor.js";
import { archivedSwitch, table } from "./table.js";
import { unitOptions } from "./units.js";

const PART = "sensors";
/** What docs/api.md says of intervals that are left out. */
const USUAL_INTERVAL = 900;
const INTERVALS = 3;
const LEAST_PATIENCE = 600;

export async function showSensors(context, place) {
  if (place.new) return newOne(context, place);
  if (place.id) return showSensor(context, Number(place.id));
  const [sensors, units] = await Promise.all([
    all("/api/v1/sensors", { organization: context.organization, ...(place.archived ? { archived: true } : {}) }),
    all("/api/v1/units", { organization: context.organization, archived: true }),
  ]);
  const names = new Map(units.map((unit) => [unit.id, unit.name]));
  const add = context.canChange && link(to(PART, { new: 1 }), "Register a sensor", "button");
  return [
    head({ title: "Sensors", actions: [archivedSwitch(place, (fields) => to(PART, fields)), add], lead: "Each is one probe of a device, told by the device's EUI, and watches one unit at a time." }),
    table({
      label: "Sensors",
      many: "sensors",
      items: sensors,
      empty: "There are no sensors yet. Register one by the EUI printed on its device.",
      words: (item) => `${item.device.dev_eui} ${euiWords(item.device.dev_eui)} ${item.device.name} ${item.device.model_id} ${item.probe} ${names.get(item.unit) ?? ""}`,
      columns: [
        { title: "Device", cell: (item) => link(to(PART, { id: item.id }), euiWords(item.device.dev_eui), "mono") },
        { title: "Name", cell: (item) => item.device.name || null },
        { title: "Probe", cell: (item) => item.probe },
        { title: "Unit", cell: (item) => (item.unit ? link(to("units", { id: item.unit }), names.get(item.unit) ?? `Unit ${item.unit}`) : item.archived_at ? "Archived" : "None") },
        { title: "Last reading", cell: (item) => (item.latest ? timeWords(item.latest.measured_at) : "None yet") },
      ],
    }),
  ];
}

/** Interval, gap and patience, with what follows for those left empty said as the interval is typed. */
export function termFields(before = null) {
  const interval = field({ name: "expected_interval_seconds", label: "Reports every", kind: "duration", value: before?.expected_interval_seconds, hint: before ? "" : `Empty: ${spanWords(USUAL_INTERVAL)}.` });
  const gap = field({ name: "max_gap_seconds", label: "A value is known for at most", kind: "duration" });
  const patience = field({ name: "offline_after_seconds", label: "Offline after", kind: "duration" });
  const calibration = field({ name: "calibration_celsius", label: "Calibration in °C", kind: "number", value: before?.calibration_celsius || null, placeholder: "0", hint: "Added to what the sensor says, such as −0.3." });
  const follow = () => {
    let seconds = USUAL_INTERVAL;
    try {
      seconds = interval.read() ?? seconds;
    } catch {
      return;
    }
    const follows = before && before.max_gap_seconds !== INTERVALS * before.expected_interval_seconds ? before.max_gap_seconds : INTERVALS * seconds;
    const wasUsual = !before || before.offline_after_seconds === Math.max(INTERVALS * before.expected_interval_seconds, LEAST_PATIENCE);
    gap.setHint(`Empty: ${spanWords(follows)}. After that the temperature is unknown.`);
    patience.setHint(`Empty: ${spanWords(wasUsual ? Math.max(INTERVALS * seconds, LEAST_PATIENCE) : before.offline_after_seconds)} without any uplink.`);
  };
  interval.root.addEventListener("input", follow);
  follow();
  return [interval, gap, patience, calibration];
}

export function deviceFields(device = null) {
  return [
    field({ name: "name", label: "Name of the device", value: device?.name ?? "", hint: "For people, such as the number on its label." }),
    field({ name: "brand_id", label: "Maker", value: device?.brand_id ?? "", placeholder: "dragino", hint: "As in The Things Stack's device repository." }),
    field({ name: "model_id", label: "Model", value: device?.model_id ?? "", placeholder: "lht65" }),
  ];
}

async function newOne(context, place) {
  const units = await unitOptions(context);
  const fields = [
    field({ name: "dev_eui", label: "Device EUI", required: true, value: place.dev_eui ? euiWords(place.dev_eui) : "", placeholder: "A8-40-41-00-01-81-C0-61", hint: "The 16 digits printed on the device, with or without separators." }),
    field({ name: "probe", label: "Probe", value: place.probe ?? "", placeholder: "main", options: ["main", "external", "ambient"].map((value) => ({ value, label: value })), hint: "Empty: main, the one that stands for the device. Devices with several probes have a sensor for each." }),
    field({ name: "unit", label: "Unit it watches", kind: "pick", value: Number(place.unit) || null, options: units, hint: "Type a part of its name. It can also be assigned later; until then its uplinks become dead letters." }),
    ...termFields(),
    ...deviceFields(),
    field({ name: "assigned_from", label: "Watches the unit from", kind: "moment", hint: `Empty: in about 8 seconds. Up to 35 days back, if it has sent before: then its dead letters can be replayed. Times are of ${zoneName()}.` }),
  ];
  return [
    head({ title: "Register a sensor", trail: link(to(PART), "Sensors"), lead: "The device must be joined in The Things Stack; here it is told what it measures." }),
    form(context, {
      fields,
      action: "Register",
      blame: { exists: "dev_eui", too_early: "assigned_from", archived: "unit" },
      onSend: (values) => send("POST", "/api/v1/sensors", { organization: context.organization, ...values }),
      onDone: (answer) => context.go(to(PART, { id: answer.item.id }), answer.outcome === "created" ? outcomeWords(answer, "Registered") : outcomeWords(answer)),
    }),
  ];
}
