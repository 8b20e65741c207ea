// The panel of the chosen unit: its state now, timeline, excursions and what was known of them when. On a phone it covers the page, elsewhere it stands beside the tiles.

import { AsKnown } from "./as_known.js";
import { ConditionsSection } from "./conditions_section.js";
import { Corrector } from "./correct/corrector.js";
import { fetchManaged } from "./correct/rest.js";
import { StandingCorrections } from "./correct/standing.js";
import { byId, element, namedParts, setData, setFacts, setHidden, setIcon, setText } from "./dom.js";
import { ExcursionCard } from "./excursion_card.js";
import { ExcursionList } from "./excursion_list.js";
import { exposureWords } from "./figure_words.js";
import { JudgedBy } from "./judged_by.js";
import { MaintenanceSection } from "./maintain/section.js";
import { serverNow } from "./rest.js";
import { addressOfUnit } from "./session.js";
import { STATE_WORDS } from "./states.js";
import { showTemperature, smallFacts, valueAge } from "./tile.js";
import { boundsOf } from "./span.js";
import { Timeline } from "./timeline.js";
import { UnitHistory } from "./unit_history.js";
import { momentWords, zoneWords } from "./words.js";

/** A correction takes effect so long (ms) before what came of it has been judged: one sensor's month takes seconds. */
const JUDGED_AFTER_MS = [4_000, 20_000];

export class UnitPanel {
  /** @param {{onClose: () => void, onError: (error: Error) => void, onChanged: () => void}} hooks `onChanged`: something of more than this panel may be otherwise now */
  constructor(hooks) {
    this.hooks = hooks;
    this.host = byId("panel");
    this.unit = null;
    this.sensor = null;
    this.preset = "24h";
    this.managed = null;
    this.history = new UnitHistory({ onChange: () => this.draw(), onError: hooks.onError });
    this.overlay = matchMedia("(max-width: 999.98px)");
    this.overlay.addEventListener("change", () => this.shutBehind());
    this.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hooks.onClose();
    });
  }

  /** Show a unit, and an excursion of it and an instant where the address names them; the panel is built anew, so that nothing of the last one is left. */
  open(unit, place, view) {
    this.close();
    this.unit = unit;
    this.view = view;
    this.excursion = null;
    this.knownAt = null;
    this.sensor = unit.headline ?? unit.sensors[0] ?? null;
    this.host.replaceChildren(byId("panel-template").content.cloneNode(true));
    this.parts = namedParts(this.host);
    this.host.dataset.unit = unit.id;
    this.host.hidden = false;
    document.body.dataset.panel = "open";
    this.shutBehind();
    this.build();
    this.parts.why.href = `/setup#part=why&unit=${unit.id}`;
    this.parts.setup.href = `/setup#part=units&id=${unit.id}`;
    this.parts.close.addEventListener("click", () => this.hooks.onClose());
    this.showNow(view);
    this.take(place);
    this.load();
    byId("panel-title").focus({ preventScroll: true });
  }

  build() {
    const addressOf = (excursion) => addressOfUnit(this.unit.id, { excursion: excursion.id, knownAt: this.knownAt });
    this.list = new ExcursionList(this.parts["excursion-list"], { addressOf, figuresOf: exposureWords });
    this.timeline = new Timeline(this.parts, this.history, this.preset, {
      addressOf,
      onSpan: () => this.load(),
      onRetry: () => this.load(),
      onPick: (from, to) => this.corrector.pick(from, to),
    });
    this.card = new ExcursionCard(this.parts.card, {
      onStretch: (excursion) => this.timeline.goTo(excursion.startedAt, endOf(excursion)),
      onVersions: (versions) => this.takeVersions(versions),
    });
    this.judgedBy = new JudgedBy(this.parts.bands, this.parts["bands-none"]);
    this.asKnown = new AsKnown(this.host, this.parts);
    this.conditions = new ConditionsSection(this.parts);
    this.buildCorrections();
  }

  buildCorrections() {
    const onDone = (effectiveAt, words) => this.takeCorrected(effectiveAt, words);
    const onError = (error) => this.hooks.onError(error);
    this.corrector = new Corrector(this.parts.corrector, { onDone, onError, onClose: () => this.corrected(), onMark: () => this.draw() });
    this.standing = new StandingCorrections(this.parts, { onDone, onError });
    this.maintenance = new MaintenanceSection(this.parts, { onDone: (at) => this.follow(at), onStretch: (from, to) => this.timeline.goTo(from, to), onError });
    this.parts.correct.addEventListener("click", () => this.correct());
    this.loadManaged();
  }

  /** Who may correct what is asked for once; without an answer nothing is offered. */
  async loadManaged() {
    if (this.managed !== null) return;
    try {
      this.managed = await fetchManaged();
      this.draw();
    } catch (error) {
      this.hooks.onError(error);
    }
  }

  mayCorrect() {
    const organization = this.view.fleet.sites.get(this.unit.site)?.organization;
    return this.managed?.has(organization) ?? false;
  }

  /** Open the form, with the stretch that the timeline shows where a person has chosen one. */
  correct() {
    setText(this.parts["correction-said"], "");
    const { span } = this.timeline;
    const stretch = span.preset ? null : boundsOf(span, serverNow());
    this.corrector.open({ ...this.view, zone: this.zone, unit: this.unit, sensor: this.sensor, bands: this.history.bands }, stretch);
    this.parts.corrector.scrollIntoView({ block: "nearest" });
  }

  corrected() {
    this.draw();
    this.parts.correct.focus({ preventScroll: true });
  }

  /** Say what came of a correction, and show it once it has been judged. */
  takeCorrected(effectiveAt, words) {
    setText(this.parts["correction-said"], words);
    this.parts["correction-said"].focus({ preventScroll: true });
    this.follow(effectiveAt);
  }

  /** Show what was changed at once, and again once it has been judged: of other units and the tiles, too. */
  follow(effectiveAt) {
    const { unit } = this;
    const fetchAgain = () => {
      if (this.unit === unit) this.load();
      this.hooks.onChanged();
    };
    fetchAgain();
    if (effectiveAt === null) return;
    for (const after of JUDGED_AFTER_MS) setTimeout(fetchAgain, Math.max(0, effectiveAt - serverNow()) + after);
  }

  close() {
    if (this.unit === null) return;
    this.timeline.destroy();
    this.card.close();
    this.history.clear();
    this.unit = null;
    this.host.hidden = true;
    this.host.replaceChildren();
    delete this.host.dataset.unit;
    delete this.host.dataset.asKnown;
    delete document.body.dataset.panel;
    this.shutBehind();
  }

  /** Show what the address names: an excursion, and the instant as of which everything is drawn. */
  turnTo({ excursion, knownAt }) {
    if (this.unit === null) return;
    const before = this.knownAt;
    this.take({ excursion, knownAt });
    if (this.knownAt === before) {
      this.draw();
      return;
    }
    this.load();
    // The link that led here may be gone with what was drawn before.
    this.parts[this.knownAt === null ? "name" : "as-known-title"].focus({ preventScroll: true });
  }

  take({ excursion, knownAt }) {
    if (excursion !== this.excursion) this.mustReveal = excursion !== null;
    this.excursion = excursion;
    // Nobody knows yet what will be known.
    this.knownAt = knownAt !== null && knownAt <= serverNow() ? knownAt : null;
    this.timeline.keepWithin(this.knownAt);
    this.card.choose(excursion);
  }

  /** The history of the chosen excursion has come: bring it into sight, once. */
  takeVersions(versions) {
    this.draw();
    if (!this.mustReveal) return;
    this.mustReveal = false;
    const version = this.card.versionAt(this.knownAt) ?? versions.at(-1);
    if (version) {
      const sensor = this.unit.sensors.find((one) => one.id === version.sensor);
      if (sensor && sensor !== this.sensor) this.choose(sensor);
      this.timeline.bringIntoView(version.startedAt, endOf(version));
    }
    this.parts.card.scrollIntoView({ block: "nearest" });
  }

  /** Where the panel covers the page, nothing behind it can be reached by keyboard or read out. */
  shutBehind() {
    const isCovered = this.unit !== null && this.overlay.matches;
    for (const node of [byId("fleet"), byId("top")]) node.inert = isCovered;
  }

  /** Fetch again: after a loss of the connection, or for another sensor, span or instant. */
  load() {
    if (this.unit === null) return;
    this.preset = this.timeline.preset;
    if (this.sensor !== null) this.history.load(this.unit, this.sensor, this.timeline.span, this.knownAt);
    this.draw();
  }

  /** Show the unit's present values and let time pass in the timeline. */
  show(view) {
    if (this.unit === null) return;
    this.view = view;
    if (this.sensor === null && this.unit.sensors.length > 0) {
      this.sensor = this.unit.headline ?? this.unit.sensors[0];
      this.load();
    }
    this.showNow(view);
    if (this.history.isOld(view.now)) this.load();
    if (this.history.isStandingOld(view.now)) this.history.loadStanding();
    this.draw();
  }

  showNow(view) {
    const { parts, unit } = this;
    const site = view.fleet.sites.get(unit.site);
    this.zone = site?.zone ?? "UTC";
    setText(parts.site, site ? `${site.name}, ${site.zone} (${zoneWords(view.now, site.zone)})` : "");
    setText(parts.name, unit.name);
    showTemperature(parts, unit, view.degrees);
    setText(parts.age, unit.isKnown ? `measured ${valueAge(unit, view.now)}` : valueAge(unit, view.now));
    setText(parts.word, STATE_WORDS[unit.shown]);
    setText(parts.since, unit.since === null || unit.shown !== unit.state ? "" : `since ${momentWords(unit.since, view.now, this.zone)}`);
    setIcon(parts.icon, unit.shown);
    setData(parts.now, "state", unit.shown);
    setData(parts.now, "known", unit.isKnown ? "yes" : "no");
    setFacts(parts.facts, smallFacts(unit));
    this.showProbes();
  }

  showProbes() {
    const { sensors } = this.unit;
    setHidden(this.parts.probes, sensors.length < 2);
    const key = sensors.map((sensor) => `${sensor.id}:${sensor.probe}`).join() + this.sensor?.id;
    if (sensors.length < 2 || this.probesKey === key) return;
    this.probesKey = key;
    this.parts.probes.replaceChildren(
      ...sensors.map((sensor) => {
        const button = element("button", "", probeName(sensor));
        button.type = "button";
        button.setAttribute("aria-pressed", String(sensor === this.sensor));
        button.addEventListener("click", () => this.choose(sensor));
        return button;
      }),
    );
  }

  choose(sensor) {
    // A correction is about the sensor that it was begun for.
    if (sensor !== this.sensor) this.corrector.close();
    this.sensor = sensor;
    this.showProbes();
    this.load();
  }

  draw() {
    if (this.unit === null || !this.zone) return;
    const view = { ...this.view, zone: this.zone, unit: this.unit, unitName: this.unit.name, sensor: this.sensor, excursion: this.excursion, knownAt: this.knownAt, marked: this.corrector.marked(this.view.now) };
    this.timeline.show(view);
    this.asKnown.show({ ...view, lastReading: this.history.lastReading(), correctedSince: this.history.correctedSince(), maxGapMs: this.sensor?.maxGapMs ?? null });
    this.showExcursions(view);
    this.showConditions(view);
    this.showCorrections(view);
    this.maintenance.show(this.history.knownMaintenance(), { ...view, mayChange: this.mayCorrect() });
    this.card.show({ ...view, corrections: this.history.knownCorrections(), excursion: this.history.excursions.get(this.excursion) ?? null });
    const probe = this.unit.sensors.length > 1 && this.sensor ? probeName(this.sensor) : "";
    const budgets = this.knownAt === null ? this.history.standing?.budgets.get(this.sensor?.id) : undefined;
    if (this.history.fetchedAt !== null) this.judgedBy.show(this.history.bands, budgets, { ...view, probe });
  }

  showConditions(view) {
    const { picture } = this.timeline;
    if (picture === null || this.sensor === null) return;
    const now = this.knownAt ?? view.now;
    this.conditions.show(this.history.shownConditions(picture.from, now), this.history.terms, { ...view, now });
  }

  showCorrections(view) {
    const mayCorrect = this.mayCorrect();
    setHidden(this.parts.correct, !mayCorrect || this.knownAt !== null || this.corrector.isOpen);
    if (this.knownAt !== null && this.corrector.isOpen) this.corrector.close();
    this.standing.show(this.history.knownCorrections(), { ...view, mayCorrect });
  }

  showExcursions(view) {
    const { picture } = this.timeline;
    if (picture === null) return;
    const excursions = this.history.excursionsIn(picture.from, picture.to);
    setText(this.parts["excursion-count"], String(excursions.length));
    setHidden(this.parts["excursion-none"], excursions.length > 0);
    setText(this.parts["excursion-none"], `None ${this.timeline.words(true)}${this.knownAt === null ? "" : ", as far as was known then"}.`);
    this.list.show(excursions, { ...view, now: this.knownAt ?? view.now });
  }
}

/** Until when an excursion lasted as far as it was ever believed; null where it goes on. */
function endOf(version) {
  return version.endedAt ?? (version.reason === "void" ? version.knownAt : null);
}

function probeName(sensor) {
  return sensor.probe || `Sensor ${sensor.id}`;
}
