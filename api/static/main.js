// Wiring: who is signed in, what is fetched when, and one drawing per animation frame whatever arrives.

import { byId, setData, setHidden, setText } from "./dom.js";
import { openDoorway } from "./doorway.js";
import { ExcursionSection } from "./excursion_section.js";
import { Fleet } from "./fleet.js";
import { Live } from "./live.js";
import { arrange, countStates, rankNames } from "./order.js";
import * as rest from "./rest.js";
import * as session from "./session.js";
import { TileGrid } from "./tile_grid.js";
import { Toolbar } from "./toolbar.js";
import { UnitPanel } from "./unit_panel.js";
import { counted, limitWords } from "./words.js";

/** Tiles change places at most this often: a list that jumps under the finger cannot be used. */
const REORDER_PAUSE_MS = 1_000;
const RETRY_MS = 5_000;
/** If the WebSocket takes longer than this, show what REST knows; it is fetched again once events flow. */
const LIVE_HEAD_START_MS = 700;
/** Thousands of pages are told at once that they missed something: they ask at different moments. */
const RESYNC_SPREAD_MS = 2_000;
/** A page that is too slow must not be slowed down further by fetching all the time. */
const RESYNC_PAUSE_MS = 10_000;

const CONNECTION_WORDS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", limited: "Live for some sites" };

const fleet = new Fleet();
const grid = new TileGrid(byId("grid"));
const excursions = new ExcursionSection(() => currentView(rest.serverNow()));
const toolbar = new Toolbar({ onWish: () => wishChanged(), onDegrees: () => degreesChanged() });
const panel = new UnitPanel({ onClose: () => closePanel(), onError: (error) => takeError(error), onChanged: () => refetch() });
const live = new Live({
  token: session.currentToken,
  sites: () => (areSitesKnown ? [...fleet.sites.keys()] : null),
  onStatus: showConnection,
  onReady: () => refetch(),
  onEvent: takeEvent,
  onResync: () => planResync(),
  onSignedOut: () => showDoorway("ended"),
});

let areSitesKnown = false;
let areUnitsKnown = false;
let isFetching = false;
let mustFetchAgain = false;
let isSignedIn = false;
let names = null;
let isOrderOld = true;
let orderedAt = 0;
let isPointerDown = false;
let isFramePlanned = false;
let isWholeViewOld = false;
let retry = null;
let resync = null;
let fetchedAt = -Infinity;

start();

function start() {
  session.followAddress(() => followAddress());
  addEventListener("scroll", () => plan(), { passive: true });
  new ResizeObserver(() => grid.resize()).observe(byId("grid"));
  for (const [name, isDown] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
    addEventListener(name, () => (isPointerDown = isDown), { passive: true });
  }
  byId("sign-out").addEventListener("click", () => {
    session.forgetToken();
    showDoorway("out");
  });
  byId("notice-retry").addEventListener("click", () => load());
  document.querySelector("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault();
    byId("units").focus();
  });
  if (session.currentToken() === null) {
    showDoorway("new");
    return;
  }
  isSignedIn = true;
  setInterval(passTime, 1_000);
  live.start();
  load();
}

/** First fetch: sites and the person at once, then units page by page. */
async function load() {
  clearTimeout(retry);
  try {
    const [me, sites] = await Promise.all([rest.fetchMe(), rest.fetchSites()]);
    if (!isSignedIn) return;
    fleet.putSites(sites);
    areSitesKnown = true;
    showWho(me);
    live.subscribeSites();
    // `onReady` fetches the rest; without a WebSocket in good time, REST alone must do for now.
    setTimeout(() => !areUnitsKnown && !isFetching && refetch(), LIVE_HEAD_START_MS);
  } catch (error) {
    takeError(error);
  }
}

/** Fetch units, sensors and excursions; a call during a fetch makes it happen once more. */
async function refetch() {
  if (!areSitesKnown || !isSignedIn) return;
  if (isFetching) {
    mustFetchAgain = true;
    return;
  }
  isFetching = true;
  fetchedAt = performance.now();
  mustFetchAgain = false;
  fleet.beginFetch();
  try {
    await Promise.all([fetchExcursions(), fetchUnitsAndSensors()]);
    panel.load();
    hideNotice();
  } catch (error) {
    takeError(error);
  } finally {
    isFetching = false;
  }
  if (mustFetchAgain) refetch();
}

function planResync() {
  if (resync !== null) return;
  const pause = Math.max(0, fetchedAt + RESYNC_PAUSE_MS - performance.now());
  resync = setTimeout(() => {
    resync = null;
    refetch();
  }, pause + Math.random() * RESYNC_SPREAD_MS);
}

async function fetchUnitsAndSensors() {
  const ids = new Set();
  await rest.fetchUnits((units) => {
    for (const unit of units) ids.add(unit.id);
    fleet.putUnits(units, rest.serverNow());
    showFrame();
    plan();
  });
  fleet.keepUnits(ids);
  areUnitsKnown = true;
  showFrame();
  followAddress();
  plan();
  await rest.fetchSensors((sensors) => {
    fleet.putSensors(sensors, rest.serverNow());
    plan();
  });
}

async function fetchExcursions() {
  const now = rest.serverNow();
  const [open, closed] = await Promise.all([rest.fetchOpenExcursions(), rest.fetchClosedExcursions(now - 86_400_000, now + 60_000)]);
  fleet.putOpenExcursions(open);
  fleet.putClosedExcursions(closed.filter((excursion) => excursion.closedAt >= now - 86_400_000));
  plan();
}

function takeEvent(event) {
  const excursion = fleet.takeEvent(event, rest.serverNow());
  if (excursion) {
    panel.history.takeExcursion(excursion);
    announce(event.event, excursion);
  } else if (event.event.startsWith("alert:") && event.unit === panel.unit?.id) panel.history.takeCondition();
  const readings = event.event === "sensor:readings:batch" ? event.data.readings : event.event === "sensor:reading" ? [event.data] : [];
  if (panel.unit !== null) {
    for (const reading of readings) {
      if (reading.unit === panel.unit.id) panel.history.takeReading(rest.toReading(reading));
    }
  }
  plan();
}

function announce(name, excursion) {
  const unit = fleet.units.get(excursion.unit)?.name ?? `Unit ${excursion.unit}`;
  const site = fleet.sites.get(excursion.site)?.name ?? "";
  const words = name === "alert:triggered" ? `Excursion: ${limitWords(excursion.side, excursion.limit, toolbar.degrees)}` : "Excursion ended";
  byId("announcer").textContent = `${unit}, ${site}: ${words}`;
}

/** Draw in the next frame, however many things ask for it. */
function plan() {
  if (isFramePlanned) return;
  isFramePlanned = true;
  requestAnimationFrame(drawFrame);
}

function drawFrame() {
  isFramePlanned = false;
  if (byId("frame").hidden) return;
  const changes = fleet.takeChanges();
  const now = rest.serverNow();
  const view = currentView(now);
  grid.view = view;
  if (changes.structure) names = rankNames(fleet);
  if (changes.structure || changes.states) {
    toolbar.showCounts(countStates(fleet), fleet.units.size);
    isOrderOld = true;
  }
  const isOrderDue = changes.structure || (!isPointerDown && performance.now() - orderedAt > REORDER_PAUSE_MS);
  if (isOrderOld && names && isOrderDue) reorder();
  else grid.paint();
  if (isWholeViewOld) grid.updateAll();
  else grid.update(changes.units);
  if (changes.excursions || changes.structure || isWholeViewOld) showExcursions();
  if (panel.unit !== null && (isWholeViewOld || changes.units.has(panel.unit.id) || changes.excursions)) panel.show(view);
  isWholeViewOld = false;
}

function reorder() {
  const groups = arrange(fleet, names, toolbar.wish);
  isOrderOld = false;
  orderedAt = performance.now();
  grid.setGroups(groups);
  showFound();
}

function showFound() {
  const { state, text } = toolbar.wish;
  const isFiltered = state !== null || text.trim() !== "";
  setText(byId("units-found"), isFiltered ? counted(grid.count, "unit found", "units found") : "");
  setHidden(byId("units-none"), grid.count > 0 || !areUnitsKnown);
  setText(byId("units-none"), isFiltered ? "No unit matches. Clear the search or choose All." : "You have no units yet.");
}

function passTime() {
  if (document.visibilityState === "hidden" || byId("frame").hidden) return;
  const now = rest.serverNow();
  fleet.passTime(now);
  const view = currentView(now);
  grid.view = view;
  grid.updateAges();
  excursions.passTime(view);
  panel.show(view);
  plan();
}

function showExcursions() {
  excursions.show(currentView(rest.serverNow()));
}

function currentView(now) {
  return { fleet, now, degrees: toolbar.degrees, chosen: panel.unit?.id ?? null };
}

function wishChanged() {
  isOrderOld = true;
  orderedAt = -Infinity;
  plan();
}

function degreesChanged() {
  isWholeViewOld = true;
  plan();
}

function followAddress() {
  const place = session.placeInAddress();
  if (place.unit === (panel.unit?.id ?? null)) {
    panel.turnTo(place);
    return;
  }
  const unit = fleet.units.get(place.unit);
  const left = panel.unit?.id;
  panel.close();
  if (unit) panel.open(unit, place, { ...currentView(rest.serverNow()), chosen: unit.id });
  else if (left) grid.linkOf(left)?.focus({ preventScroll: true });
  isWholeViewOld = true;
  plan();
}

function closePanel() {
  history.pushState(null, "", location.pathname + location.search);
  followAddress();
}

function showConnection(status) {
  setData(byId("connection"), "connection", status);
  setText(byId("connection-word"), CONNECTION_WORDS[status]);
}

function showWho(me) {
  setText(byId("who-name"), me.user.name || me.user.email || "Signed in");
  setHidden(byId("who"), false);
}

function showFrame() {
  document.body.dataset.view = "fleet";
  setHidden(byId("frame"), false);
}

function takeError(error) {
  if (error instanceof rest.SignedOut) {
    showDoorway("ended");
    return;
  }
  const isUnexpected = !(error instanceof rest.Unavailable || error instanceof rest.Refused);
  if (isUnexpected) console.error(error);
  setText(byId("notice-text"), isUnexpected ? "Something in this page failed. Load it again; if that does not help, tell whoever runs Coldstream." : error.message);
  setHidden(byId("notice"), false);
  setHidden(byId("notice-retry"), isUnexpected);
  clearTimeout(retry);
  if (error instanceof rest.Unavailable) retry = setTimeout(() => (areSitesKnown ? refetch() : load()), RETRY_MS);
}

function hideNotice() {
  setHidden(byId("notice"), true);
}

function showDoorway(why) {
  isSignedIn = false;
  live.stop();
  clearTimeout(retry);
  session.forgetToken();
  panel.close();
  hideNotice();
  setHidden(byId("frame"), true);
  setHidden(byId("who"), true);
  openDoorway(why);
}
