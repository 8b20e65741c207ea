// The chosen excursion of the panel: its figures, and what was known of it when. Asks for the versions itself, and again when there is a newer one.

import { correctionWords, correctionsOf, saidOf } from "./corrections.js";
import { element } from "./dom.js";
import { asOfWords, degreeMinuteWords, exactMoment } from "./figure_words.js";
import { fetchVersions } from "./rest_unit.js";
import { addressOfUnit } from "./session.js";
import { changeWords, reasonWords } from "./version_words.js";
import { durationWords, limitWords, temperatureWords, zoneWords } from "./words.js";

export class ExcursionCard {
  /** @param {HTMLElement} host @param {{onStretch: (excursion: object) => void, onVersions: (versions: object[]) => void}} hooks */
  constructor(host, hooks) {
    this.host = host;
    this.hooks = hooks;
    this.id = null;
    this.versions = null;
    this.trouble = null;
  }

  /** Choose an excursion by its id, or none. */
  choose(id) {
    if (this.id === id) return;
    this.id = id;
    this.versions = null;
    this.trouble = null;
    this.key = null;
    this.load();
  }

  close() {
    this.asking?.abort();
    this.id = null;
  }

  async load() {
    this.asking?.abort();
    if (this.id === null) return;
    const asking = new AbortController();
    this.asking = asking;
    try {
      const versions = await fetchVersions(this.id, asking.signal);
      if (asking.signal.aborted) return;
      this.versions = versions;
      this.trouble = null;
      this.hooks.onVersions(versions);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.trouble = error;
      this.hooks.onVersions([]);
    }
  }

  /** The newest version that was known at an instant (null: now), or null. */
  versionAt(knownAt) {
    return this.versions?.findLast((version) => knownAt === null || version.knownAt <= knownAt) ?? null;
  }

  /** @param {{excursion: object|null, corrections: object[], knownAt: number|null, now: number, zone: string, degrees: string}} view `excursion` with the running figures, if it stands */
  show(view) {
    this.host.hidden = this.id === null;
    if (this.id === null) return;
    const newest = this.versions?.at(-1) ?? null;
    if (view.knownAt === null && newest && view.excursion && view.excursion.version > newest.version && this.reloadedFor !== view.excursion.version) {
      this.reloadedFor = view.excursion.version;
      this.load();
    }
    const minute = Math.floor(view.now / 60_000);
    const key = JSON.stringify([this.id, this.versions?.length, this.trouble?.message, view.excursion, view.corrections, view.knownAt, view.zone, view.degrees, minute]);
    if (key === this.key) return;
    this.key = key;
    const held = this.host.contains(document.activeElement) ? document.activeElement.dataset.version : undefined;
    this.host.replaceChildren(...this.content(view));
    if (held !== undefined) this.host.querySelector(`[data-version="${held}"]`)?.focus({ preventScroll: true });
  }

  content(view) {
    if (this.trouble) {
      const again = element("button", "button small", "Try again");
      again.type = "button";
      again.addEventListener("click", () => this.load());
      return [element("h3", "", "This excursion"), element("p", "quiet", `Its history could not be loaded. ${this.trouble.message}`), again];
    }
    if (this.versions === null) return [element("h3", "", "This excursion"), element("p", "quiet", "Loading its history…")];
    const version = this.versionAt(view.knownAt);
    if (version === null) {
      const first = this.versions[0];
      const when = first ? ` It was found at ${exactMoment(first.knownAt, view.zone)}: go back to now, or to a later instant.` : "";
      return [element("h3", "", "This excursion"), element("p", "quiet", `Nothing was known of it then.${when}`)];
    }
    const isVoid = version.reason === "void";
    const told = !isVoid && view.excursion?.version === version.version ? { ...version, ...view.excursion, facts: version.facts } : version;
    return [this.title(told, isVoid), this.facts(told, view), ...this.history(view, version)];
  }

  title(told, isVoid) {
    const title = element("h3", "", `${told.band}, ${told.severity} `);
    const state = isVoid ? "voided" : told.closedAt === null ? "open" : "closed";
    const mark = element("span", "card-state", { voided: "Voided", open: "Open", closed: "Closed" }[state]);
    mark.dataset.state = state;
    title.append(mark);
    const show = element("button", "plain", "Show its time");
    show.type = "button";
    show.dataset.version = "stretch";
    show.addEventListener("click", () => this.hooks.onStretch(told));
    const head = element("div", "card-head");
    head.append(title, show);
    return head;
  }

  facts(told, { now, zone, degrees }) {
    const list = element("dl", "card-facts");
    const span = (ms) => (ms === null ? null : durationWords(ms));
    const lines = [
      ["Started", `${exactMoment(told.startedAt, zone)} ${zoneWords(told.startedAt, zone)}`],
      ["Became one", told.openedAt === told.startedAt ? null : exactMoment(told.openedAt, zone)],
      ["Ended", told.endedAt === null ? "not yet" : exactMoment(told.endedAt, zone)],
      ["Closed", told.closedAt === null || told.closedAt === told.endedAt ? null : exactMoment(told.closedAt, zone)],
      ["Out of range", span(told.exposureMs)],
      ["Unknown", span(told.unknownMs)],
      ["Suppressed", told.suppressedMs ? span(told.suppressedMs) : null],
      [told.side === "low" ? "Lowest" : "Peak", told.peak === null ? null : temperatureWords(told.peak, degrees)],
      ["Out of range is", limitWords(told.side, told.limit, degrees) || null],
      ["Mean", told.mean === null ? null : temperatureWords(told.mean, degrees)],
      ["Degree minutes", degreeMinuteWords({ ...told, limit: null }, degrees) || null],
      ["Readings", told.samples === null ? null : told.samples.toLocaleString("en-GB")],
      ["Longest gap", span(told.largestGapMs)],
    ];
    for (const [name, words] of lines) {
      if (words === null) continue;
      const line = element("div");
      line.append(element("dt", "", name), element("dd", "", words));
      list.append(line);
    }
    const asOf = asOfWords(told, now, zone);
    const box = element("div");
    box.append(list);
    if (asOf) box.append(element("p", "quiet card-note", asOf));
    return box;
  }

  history(view, valid) {
    const list = element("ol", "versions");
    const shown = this.versions.filter((version) => view.knownAt === null || version.knownAt <= view.knownAt);
    const entries = shown.map((version, index) => [version.knownAt, this.version(version, shown[index - 1], version === valid, view)]);
    const from = Math.min(...shown.map((version) => version.startedAt));
    for (const correction of correctionsOf(view.corrections, from, valid.endedAt)) entries.push([correction.madeAt, correctionEntry(correction, view)]);
    list.append(...entries.sort(([one], [other]) => one - other).map(([, entry]) => entry));
    const left = this.versions.length - shown.length;
    const note = left > 0 ? [element("p", "quiet card-note", `${left === 1 ? "One version" : `${left} versions`} learnt later ${left === 1 ? "is" : "are"} left out.`)] : [];
    return [element("h4", "", "What was known when"), list, ...note];
  }

  version(version, before, isValid, view) {
    const { zone, degrees, knownAt } = view;
    const item = element("li", "version");
    item.dataset.valid = isValid ? "yes" : "no";
    const head = element("p", "version-head");
    head.append(element("b", "", exactMoment(version.knownAt, zone)), element("span", "", reasonWords(version)));
    if (isValid) head.append(element("span", "version-valid", knownAt === null ? "believed now" : "believed then"));
    item.append(head);
    if (version.supersededBy !== null) {
      const other = element("a", "", "Another excursion took its place");
      other.href = addressOfUnit(version.unit, { excursion: version.supersededBy, knownAt });
      const line = element("p", "version-line");
      line.append(other);
      item.append(line);
    }
    const changes = changeWords(version, before, { zone, degrees });
    if (changes.length > 0) item.append(changeList(changes));
    else if (before && version.reason !== "void") item.append(element("p", "version-line quiet", "No figure changed."));
    const then = element("a", "version-then", "Show as known then");
    then.href = addressOfUnit(version.unit, { excursion: version.id, knownAt: version.knownAt });
    then.dataset.version = String(version.version);
    if (knownAt !== version.knownAt) item.append(then);
    return item;
  }
}

/** A correction among the versions: what people said of the time of the excursion, whether or not it changed anything. */
function correctionEntry(correction, { zone, degrees }) {
  const item = element("li", "version correction");
  const head = element("p", "version-head");
  head.append(element("b", "", exactMoment(correction.madeAt, zone)), element("span", "", `${correctionWords(correction, { zone, degrees })}.`));
  item.append(head, element("p", "version-line", saidOf(correction, zone)));
  return item;
}

function changeList(changes) {
  const list = element("ul", "changes");
  for (const [name, old, current] of changes) {
    const item = element("li");
    item.append(element("span", "quiet", `${name}: `), element("s", "", old), document.createTextNode(" \u2192 "), element("b", "", current));
    list.append(item);
  }
  return list;
}
