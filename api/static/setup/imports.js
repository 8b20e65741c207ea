// Import of sites, units and sensors from a CSV file: looked at first, line by line, and written only when no line has an error.

import { Refused, SignedOut, Unavailable, send } from "../rest.js";
import { counted } from "../words.js";
import { head, link, make } from "./build.js";
import { Wrong, field } from "./fields.js";
import { actionButton } from "./form.js";
import { to } from "./place.js";
import { euiWords, timeWords, zoneName } from "./said.js";
import { table } from "./table.js";

const MOST_BYTES = 5_000_000;
const TIMEOUT_MS = 300_000;
const OUTCOMES = [
  ["error", "Errors"],
  ["created", "Created"],
  ["changed", "Changed"],
  ["unchanged", "Unchanged"],
];
const TEMPLATE = `site,time_zone,unit,kind,policy,dev_eui,probe,device_name,brand_id,model_id,expected_interval_seconds,max_gap_seconds,offline_after_seconds,calibration_celsius
Clinic North,Europe/Berlin,Fridge 3,refrigerator,,A8-40-41-00-01-81-C0-61,main,F3,dragino,lht65,900,,,
Clinic North,Europe/Berlin,Freezer 1,freezer,,A8-40-41-00-01-81-C0-62,external,,dragino,lht65,600,,,-0.3
`;

export function showImport(context) {
  const outcome = make("div", { class: "import-outcome" });
  const since = field({ name: "assigned_from", label: "Sensors watch their units from", kind: "moment", hint: `Empty: in about 8 seconds. For devices that send already, up to 35 days back. Times are of ${zoneName()}.` });
  const said = make("p", { class: "form-error", role: "alert" });
  const take = (file) => {
    said.textContent = "";
    if (!file) return;
    if (file.size > MOST_BYTES) said.textContent = `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; an import takes 5 MB at most. Part it by sites.`;
    else look(context, { file, since, outcome, said });
  };
  return [
    head({ title: "Import", lead: "Sites, units and sensors from a CSV file, as a spreadsheet saves it. It is looked at first: nothing is written before you say so, and then all lines or none.", actions: [template()] }),
    context.canChange && chooser(take),
    context.canChange && make("div", { class: "import-since" }, since.root),
    said,
    outcome,
    columnsHelp(),
  ].filter(Boolean);
}

function template() {
  return make("a", { class: "second", href: `data:text/csv;charset=utf-8,${encodeURIComponent(TEMPLATE)}`, download: "coldstream-sensors.csv" }, "Download a template");
}

function columnsHelp() {
  return make(
    "details",
    { class: "folded" },
    make("summary", {}, "The columns"),
    make("p", {}, "Only ", make("code", {}, "site"), ", ", make("code", {}, "unit"), " and ", make("code", {}, "dev_eui"), " are needed, one line for each sensor. What is there already is changed to what the file says, never doubled; empty cells leave as it is. ", make("code", {}, "policy"), " is the name of a policy here, ", make("code", {}, "kind"), " one of refrigerator, freezer, cold_room, shipment."),
  );
}

/** The whole of it takes a dropped file; a click or the keyboard opens the list of files. */
function chooser(take) {
  const input = make("input", { type: "file", id: "import-file", accept: ".csv,text/csv", class: "hidden" });
  const area = make("label", { class: "drop", for: "import-file" }, make("b", {}, "Choose a CSV file"), make("span", {}, "or drop it here"));
  input.addEventListener("change", () => {
    take(input.files[0]);
    // So that the same file, mended, can be chosen again.
    input.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.dataset.over = "yes";
    });
  }
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => delete area.dataset.over);
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  return make("div", { class: "chooser" }, input, area);
}

async function look(context, wanted) {
  const report = await run(context, wanted, true);
  if (report) showReport(context, wanted, report);
}

/** The report, or null where there is none: then it was said why. */
async function run(context, { file, since, outcome, said }, isDry) {
  said.textContent = "";
  since.say(null);
  outcome.replaceChildren(make("p", { role: "status" }, isDry ? `Looking at ${file.name}…` : `Importing ${file.name}…`), make("progress", { "aria-label": isDry ? "Looking" : "Importing" }));
  try {
    const from = since.read();
    const parameters = { organization: context.organization, dry_run: isDry, ...(from ? { assigned_from: from } : {}) };
    return await send("POST", "/api/v1/imports", file, { parameters, type: "text/csv", timeout: TIMEOUT_MS });
  } catch (error) {
    if (error instanceof Refused && error.body?.items) return error.body;
    outcome.replaceChildren();
    if (error instanceof SignedOut) context.fail(error);
    else if (error instanceof Wrong) since.say(`It ${error.message}.`);
    else if (error instanceof Refused || error instanceof Unavailable) {
      const about = /^assigned_from: (.*)/s.exec(error.message);
      if (about) since.say(about[1]);
      said.textContent = about ? "Not looked at: see what stands beside the field." : `${file.name}: ${error.message}`;
    } else if (error instanceof TypeError || error instanceof DOMException) said.textContent = `${file.name} could not be read: choose it again.`;
    else throw error;
    return null;
  }
}

function showReport(context, wanted, report) {
  const { counts } = report;
  const hasWork = counts.created + counts.changed > 0;
  wanted.outcome.replaceChildren(
    make("section", { class: "card" }, make("h2", { tabindex: "-1" }, title(wanted.file, report)), make("p", {}, words(report)), importing(context, wanted, report, hasWork)),
    lines(report),
  );
  wanted.outcome.querySelector("h2").focus({ preventScroll: true });
}

function title(file, report) {
  if (report.written) return `${file.name} is imported`;
  return report.counts.error > 0 ? `${file.name}: ${counted(report.counts.error, "line has", "lines have")} to be mended` : `${file.name} can be imported`;
}

const TOTALS = { sites: ["site", "sites"], units: ["unit", "units"], sensors: ["sensor", "sensors"], configurations: ["configuration", "configurations"], assignments: ["assignment", "assignments"], unit_policies: ["policy put in force", "policies put in force"] };

function words(report) {
  const parts = Object.entries(TOTALS).filter(([name]) => report.totals[name] > 0).map(([name, [one, many]]) => counted(report.totals[name], one, many));
  if (report.counts.error > 0) return "Nothing was written. Mend the lines below in the file and choose it again.";
  if (parts.length === 0) return "Everything in it is so already: there is nothing to write.";
  if (report.written) return `Written: ${parts.join(", ")}. All of it is in effect from ${timeWords(report.effective_at)} on.`;
  return `Nothing was written yet. It would write ${parts.join(", ")}.`;
}

function importing(context, wanted, report, hasWork) {
  if (report.written) return make("p", {}, link(to("sensors"), "See the sensors", "second"));
  if (report.counts.error > 0 || !hasWork) return null;
  return actionButton(context, {
    label: `Import ${counted(report.lines, "line", "lines")}`,
    isMain: true,
    run: () => run(context, wanted, false),
    onDone: (done) => done && showReport(context, wanted, done),
  });
}

function lines(report) {
  const host = make("div", {});
  let chosen = report.counts.error > 0 ? "error" : null;
  const chips = make("div", { class: "chips", role: "group", "aria-label": "Lines shown" });
  const draw = () => {
    chips.replaceChildren(
      ...[[null, "All lines", report.lines], ...OUTCOMES.map(([name, label]) => [name, label, report.counts[name]])].map(([name, label, count]) => {
        const chip = make("button", { type: "button", class: "chip", "aria-pressed": String(name === chosen) }, `${label} ${count.toLocaleString("en-GB")}`);
        chip.addEventListener("click", () => {
          chosen = name;
          draw();
          chips.querySelector('[aria-pressed="true"]').focus();
        });
        return chip;
      }),
    );
    host.replaceChildren(lineTable(report.items.filter((item) => chosen === null || item.outcome === chosen)));
  };
  draw();
  return make("section", { "aria-label": "Line by line" }, chips, host);
}

function lineTable(items) {
  return table({
    label: "Lines of the file",
    many: "lines",
    items,
    empty: "There is no such line.",
    words: (item) => `${item.line} ${item.site} ${item.unit} ${item.dev_eui} ${item.errors.join(" ")}`,
    columns: [
      { title: "Line", cell: (item) => item.line, isNumber: true },
      { title: "Outcome", cell: (item) => make("span", { class: { error: "badge bad", created: "badge good" }[item.outcome] ?? "badge" }, item.outcome) },
      { title: "Unit", cell: (item) => [item.unit, make("span", { class: "below" }, item.site)] },
      { title: "Sensor", cell: (item) => [make("span", { class: "mono" }, euiWords(item.dev_eui)), make("span", { class: "below" }, item.probe)] },
      { title: "What", cell: (item) => (item.errors.length > 0 ? item.errors.map((error) => make("p", { class: "line-error" }, error)) : item.changes.map((change) => make("p", {}, change))) },
    ],
  });
}
