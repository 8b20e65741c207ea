// The panel of the chosen unit: its state now, chart, and excursions. On a phone it covers the page, elsewhere it stands beside the tiles.

import { bandWords, endWords, roleWords } from "./band_words.js";
import { budgetLine, noBudgetLine } from "./budget_line.js";
import { Chart } from "./chart.js";
import { byId, element, namedParts, setData, setFacts, setHidden, setIcon, setText } from "./dom.js";
import { ExcursionList } from "./excursion_list.js";
import { STATE_WORDS } from "./states.js";
import { showTemperature, smallFacts, valueAge } from "./tile.js";
import { RANGES, UnitHistory, valueAt } from "./unit_history.js";
import { counted, dayWords, durationWords, momentWords, secondsWords, temperatureWords, zoneWords } from "./words.js";

export class UnitPanel {
  /** @param {{onClose: () => void, onError: (error: Error) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.host = byId("panel");
    this.unit = null;
    this.sensor = null;
    this.range = "24h";
    this.hoverAt = null;
    this.history = new UnitHistory({ onChange: () => this.draw(), onError: hooks.onError });
    this.overlay = matchMedia("(max-width: 999.98px)");
    this.overlay.addEventListener("change", () => this.shutBehind());
    this.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hooks.onClose();
    });
  }

  /** Show a unit; the panel is built anew, so that nothing of the last one is left. */
  open(unit, view) {
    this.close();
    this.unit = unit;
    this.view = view;
    this.sensor = unit.headline ?? unit.sensors[0] ?? null;
    this.host.replaceChildren(byId("panel-template").content.cloneNode(true));
    this.parts = namedParts(this.host);
    this.host.dataset.unit = unit.id;
    this.host.hidden = false;
    document.body.dataset.panel = "open";
    this.shutBehind();
    this.list = new ExcursionList(this.parts["excursion-list"]);
    this.chart = new Chart(this.parts.chart, (at) => this.hover(at));
    this.parts.why.href = `/setup#part=why&unit=${unit.id}`;
    this.parts.setup.href = `/setup#part=units&id=${unit.id}`;
    this.parts.close.addEventListener("click", () => this.hooks.onClose());
    for (const input of this.parts.ranges.querySelectorAll("input")) {
      input.checked = input.value === this.range;
      input.addEventListener("change", () => {
        this.range = input.value;
        this.load();
      });
    }
    this.showNow(view);
    this.load();
    byId("panel-title").focus({ preventScroll: true });
  }

  close() {
    if (this.unit === null) return;
    this.chart.destroy();
    this.history.clear();
    this.unit = null;
    this.host.hidden = true;
    this.host.replaceChildren();
    delete this.host.dataset.unit;
    delete document.body.dataset.panel;
    this.shutBehind();
  }

  /** Where the panel covers the page, nothing behind it can be reached by keyboard or read out. */
  shutBehind() {
    const isCovered = this.unit !== null && this.overlay.matches;
    for (const node of [byId("fleet"), byId("top")]) node.inert = isCovered;
  }

  /** Fetch again: after a loss of the connection, or for another sensor or range. */
  load() {
    if (this.unit === null || this.sensor === null) return;
    if (this.history.sensor !== this.sensor || this.history.range !== this.range) setText(this.parts.note, "Loading…");
    this.history.load(this.unit, this.sensor, this.range);
  }

  /** Show the unit's present values and let time pass in the chart. */
  show(view) {
    if (this.unit === null) return;
    this.view = view;
    if (this.sensor === null && this.unit.sensors.length > 0) {
      this.sensor = this.unit.headline ?? this.unit.sensors[0];
      this.load();
    }
    this.showNow(view);
    if (this.history.isOld(view.now)) this.load();
    if (this.history.areBudgetsOld(view.now)) this.history.loadBudgets();
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
        const button = element("button", "", sensor.probe || `Sensor ${sensor.id}`);
        button.type = "button";
        button.setAttribute("aria-pressed", String(sensor === this.sensor));
        button.addEventListener("click", () => {
          this.sensor = sensor;
          this.showProbes();
          this.load();
        });
        return button;
      }),
    );
  }

  draw() {
    if (this.unit === null) return;
    const picture = this.history.picture(this.view.now);
    if (picture === null) return;
    this.picture = picture;
    this.chart.show({ ...picture, zone: this.zone, degrees: this.view.degrees });
    const hasValues = picture.columns.lowest !== null;
    setText(this.parts.note, hasValues ? "" : `No readings in the last ${RANGES[this.range].words}.`);
    this.showSum(picture);
    this.showLegend(picture);
    this.showReadout();
    const excursions = this.history.shownExcursions(picture.from);
    setText(this.parts["excursion-count"], String(excursions.length));
    setHidden(this.parts["excursion-none"], excursions.length > 0);
    this.list.show(excursions, this.view);
    this.showBands();
  }

  showBands() {
    const { bands } = this.history;
    const { degrees } = this.view;
    const budgets = this.history.budgets.get(this.sensor?.id) ?? null;
    const key = JSON.stringify([degrees, bands, budgets, this.history.budgets.size, this.zone]);
    if (this.bandsKey === key && this.parts.bands.childElementCount === bands.length) return;
    this.bandsKey = key;
    setHidden(this.parts["bands-none"], bands.length > 0);
    this.parts.bands.replaceChildren(
      ...bands.map(({ name, severity, document: band }) => {
        const item = element("li");
        item.append(element("b", "", `${name}, ${severity}`), element("span", "", bandWords(band, degrees)), element("span", "quiet", endWords(band, degrees)));
        if (band.role === "operational") item.append(element("span", "quiet", roleWords(band)));
        if (band.kind === "cumulative") item.append(...this.budgetLines(name, budgets));
        return item;
      }),
    );
  }

  /** What is left of a band's budget for the chosen sensor; nothing while its excursion is open or before it has been fetched. */
  budgetLines(band, budgets) {
    if (!this.history.budgets.has(this.sensor?.id)) return [];
    if (budgets === null) return [noBudgetLine()];
    const { now } = this.view;
    const probe = this.unit.sensors.length > 1 ? this.sensor.probe || `Sensor ${this.sensor.id}` : "";
    return budgets.filter((budget) => budget.band === band).map((budget) => budgetLine(budget, { now, zone: this.zone, probe }));
  }

  showSum({ columns, from, to, shaded }) {
    const known = (100 * columns.knownMs) / (to - from);
    const unknownMs = to - from - columns.knownMs;
    const share = known > 99.95 || known < 0.05 ? known.toFixed(0) : known.toFixed(1);
    const { degrees } = this.view;
    const range = columns.lowest === null ? "" : `${temperatureWords(columns.lowest, degrees)} to ${temperatureWords(columns.highest, degrees)}, `;
    const sum = `${range}known ${share} % of the time${unknownMs >= 1000 ? `, unknown ${durationWords(unknownMs)}` : ""}`;
    setText(this.parts.sum, sum);
    const label = `Temperature of ${this.unit.name} over the last ${RANGES[this.range].words}: ${sum}; ${counted(shaded.length, "excursion", "excursions")}.`;
    if (this.label !== label) {
      this.label = label;
      this.parts.chart.setAttribute("aria-label", label);
    }
  }

  showLegend({ isBand, columns, shaded, limits }) {
    const { degrees } = this.view;
    const keys = [["line", isBand ? "Mean" : "Reading"]];
    if (isBand) keys.push(["band", "Lowest to highest"]);
    const words = limits.map(({ side, limit, severity }) => `${side === "low" ? "Low" : "High"} ${temperatureWords(limit, degrees)}, ${severity}`);
    for (const one of new Set(words)) keys.push(["limit", one]);
    if (shaded.length > 0) keys.push(["shade", "Excursion"]);
    if (columns.unknown.length > 0) keys.push(["hatch", "Unknown"]);
    const key = keys.join(";");
    if (this.legendKey === key && this.parts.legend.childElementCount > 0) return;
    this.legendKey = key;
    this.parts.legend.replaceChildren(
      ...keys.map(([kind, words]) => {
        const item = element("li");
        item.append(element("span", `key key-${kind}`), document.createTextNode(words));
        return item;
      }),
    );
  }

  hover(at) {
    this.hoverAt = at;
    this.showReadout();
  }

  /** The value under the pointer, in words; without a pointer, what the chart shows. */
  showReadout() {
    if (!this.picture || this.unit === null) return;
    const { degrees } = this.view;
    if (this.hoverAt === null) {
      setText(this.parts.readout, `Last ${RANGES[this.range].words}`);
      return;
    }
    const when = `${dayWords(this.hoverAt, this.zone)}, ${secondsWords(this.hoverAt, this.zone)}`;
    const value = valueAt(this.picture, this.hoverAt);
    if (value === null) setText(this.parts.readout, `${when}: unknown`);
    else if (this.picture.isBand) {
      const [lowest, mean, highest] = value.map((celsius) => temperatureWords(celsius, degrees));
      setText(this.parts.readout, `${when}: ${mean} (${lowest} to ${highest})`);
    } else setText(this.parts.readout, `${when}: ${temperatureWords(value[1], degrees)}`);
  }
}
