// Wiring of the set-up page: who is signed in, which organization, which part is shown. Keeps nothing of what the parts show.

import { byId, setHidden, setText } from "../dom.js";
import { openDoorway } from "../doorway.js";
import * as rest from "../rest.js";
import * as session from "../session.js";
import { make } from "./build.js";
import { confirmed } from "./confirm.js";
import { showChanges } from "./changes.js";
import { showImport } from "./imports.js";
import { showLetters } from "./letters.js";
import { showOrganizations } from "./organizations.js";
import { readPlace, to } from "./place.js";
import { showPolicies } from "./policies.js";
import { showSecrets } from "./secrets.js";
import { showSensors } from "./sensors.js";
import { showSites } from "./sites.js";
import { showUnits } from "./units.js";
import { showWhy } from "./why.js";

const ORGANIZATION = "coldstream.organization";
const RETRY_MS = 5_000;
const LOADING_AFTER_MS = 250;

/** The parts, as they stand in the list beside the page. */
const GROUPS = [
  ["What is watched", [
    ["sensors", "Sensors", showSensors],
    ["units", "Units", showUnits],
    ["sites", "Sites", showSites],
    ["policies", "Policies", showPolicies],
    ["import", "Import", showImport],
  ]],
  ["When something is wrong", [
    ["why", "Why not showing?", showWhy],
    ["letters", "Dead letters", showLetters],
  ]],
  ["Access", [
    ["secrets", "Application secrets", showSecrets],
    ["organizations", "Organizations", showOrganizations],
    ["changes", "Changes", showChanges],
  ]],
];
const PARTS = new Map(GROUPS.flatMap(([, parts]) => parts.map(([name, title, show]) => [name, { title, show }])));
/** Parts that show something also to those who belong to no organization yet. */
const WITHOUT_ORGANIZATION = "organizations";

let me = null;
let teams = [];
let turns = 0;
let retry = null;
let sayNext = null;

start();

function start() {
  session.followAddress(() => show({ isMove: true }));
  byId("sign-out").addEventListener("click", () => {
    session.forgetToken();
    leave("out");
  });
  byId("notice-retry").addEventListener("click", () => (me === null ? load() : show({})));
  document.querySelector("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault();
    byId("part").focus();
  });
  if (session.currentToken() === null) leave("new");
  else load();
}

async function load() {
  clearTimeout(retry);
  try {
    const [person, { items }] = await Promise.all([rest.get("/api/v1/me", {}), rest.get("/api/v1/teams", {})]);
    me = person;
    teams = items;
  } catch (error) {
    fail(error);
    return;
  }
  setText(byId("who-name"), me.user.name || me.user.email || "Signed in");
  setHidden(byId("who"), false);
  showNavigation();
  await show({});
}

/** The organization chosen here last, or the first. */
function organization() {
  const chosen = Number(sessionStorage.getItem(ORGANIZATION));
  return me.organizations.find((one) => one.id === chosen) ?? me.organizations[0] ?? null;
}

function showNavigation() {
  const select = make("select", { id: "organization", "aria-label": "Organization" }, me.organizations.map((one) => make("option", { value: one.id }, one.name)));
  select.value = String(organization()?.id ?? "");
  select.addEventListener("change", () => {
    sessionStorage.setItem(ORGANIZATION, select.value);
    const { part } = readPlace();
    if (location.hash === to(part)) show({ isMove: true });
    else location.hash = to(part);
  });
  byId("parts").replaceChildren(
    make("p", { class: "organization" }, me.organizations.length > 1 ? select : (organization()?.name ?? "No organization yet")),
    ...GROUPS.map(([title, parts]) =>
      make("div", { class: "part-group" }, make("p", { class: "group-title" }, title), make("ul", {}, parts.map(([name, words]) => make("li", {}, make("a", { href: to(name), "data-to": name }, words))))),
    ),
  );
}

/** Draw the part that the address names; `isMove` puts the focus on its title, as a new page would. */
async function show({ isMove = false, said = sayNext }) {
  if (me === null) return;
  clearTimeout(retry);
  sayNext = null;
  const turn = (turns += 1);
  const place = readPlace();
  const known = PARTS.get(place.part) ?? PARTS.get("sensors");
  markPart(PARTS.has(place.part) ? place.part : "sensors", known.title);
  const host = byId("part");
  host.setAttribute("aria-busy", "true");
  const waiting = setTimeout(() => turn === turns && isMove && host.replaceChildren(make("p", { class: "quiet", role: "status" }, "Loading…")), LOADING_AFTER_MS);
  try {
    const context = newContext();
    const nodes = context.organization === null && place.part !== WITHOUT_ORGANIZATION ? noOrganization() : await known.show(context, place);
    if (turn !== turns) return;
    host.replaceChildren(saidLine(said), ...(context.canChange || context.organization === null ? [] : [readOnlyLine()]), ...nodes);
    setHidden(byId("notice"), true);
    document.body.dataset.view = "setup";
    setHidden(byId("frame"), false);
    showCurrentPart();
    if (said) host.querySelector(".said").focus({ preventScroll: true });
    else if (isMove) host.querySelector("h1")?.focus({ preventScroll: true });
    if (isMove || said) scrollTo(0, 0);
  } catch (error) {
    if (turn === turns) fail(error);
  } finally {
    clearTimeout(waiting);
    host.setAttribute("aria-busy", "false");
  }
}

function markPart(part, title) {
  document.title = `${title} · Coldstream`;
  for (const link of byId("parts").querySelectorAll("a")) {
    if (link.dataset.to === part) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** On a phone the parts stand in a row that is wider than the screen. */
function showCurrentPart() {
  const row = byId("parts");
  const current = row.querySelector("[aria-current]");
  if (current && row.scrollWidth > row.clientWidth) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}

/** What the parts are given: who may do what, and how to say, ask and go on. */
function newContext() {
  const current = organization();
  return {
    organization: current?.id ?? null,
    organizations: me.organizations,
    teams,
    canChange: teams.some((team) => team.organization === current?.id && team.may_manage),
    confirm: confirmed,
    fail,
    /** Say what came of a change and draw the same place again. */
    stay: (said) => show({ said }),
    /** Say what came of a change at another place. */
    go(address, said) {
      if (location.hash === address) return show({ said });
      sayNext = said;
      location.hash = address;
      return null;
    },
    /** After changes of organizations: who may see what is asked anew. */
    async reload(address, said) {
      sayNext = said;
      history.replaceState(null, "", address);
      await load();
    },
    choose(id) {
      sessionStorage.setItem(ORGANIZATION, String(id));
    },
  };
}

function saidLine(said) {
  return make("p", { class: "said", role: "status", tabindex: "-1" }, said ?? "");
}

function readOnlyLine() {
  return make("p", { class: "read-only" }, "You may see all of this but not change it. Whoever manages your team can give you the permission coldstream:manage.");
}

function noOrganization() {
  const link = make("a", { href: to(WITHOUT_ORGANIZATION) }, "Organizations");
  return [make("h1", { tabindex: "-1" }, "No organization yet"), make("p", { class: "lead" }, "A team becomes an organization once somebody who manages it makes it one, under ", link, ".")];
}

function fail(error) {
  if (error instanceof rest.SignedOut) {
    leave("ended");
    return;
  }
  const isExpected = error instanceof rest.Unavailable || error instanceof rest.Refused;
  if (!isExpected) console.error(error);
  setText(byId("notice-text"), isExpected ? error.message : "Something in this page failed. Load it again; if that does not help, tell whoever runs Coldstream.");
  setHidden(byId("notice"), false);
  setHidden(byId("notice-retry"), !isExpected);
  clearTimeout(retry);
  if (error instanceof rest.Unavailable) retry = setTimeout(() => (me === null ? load() : show({})), RETRY_MS);
}

function leave(why) {
  me = null;
  turns += 1;
  clearTimeout(retry);
  session.forgetToken();
  for (const id of ["frame", "who", "notice"]) setHidden(byId(id), true);
  byId("part").replaceChildren();
  openDoorway(why);
}
