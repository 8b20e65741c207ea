// Excursions as a list of rows: which unit, how far beyond which limit, since when and for how long. Rows are kept by id.

import { copyTemplate, setData, setHidden, setIcon, setText } from "./dom.js";
import { unknownWords } from "./figure_words.js";
import { addressOfUnit } from "./session.js";
import { durationWords, limitWords, momentWords, temperatureWords, zoneWords } from "./words.js";

export class ExcursionList {
  /** `addressOf` says where a row leads to, `figuresOf` what it tells of an excursion beside its times. */
  constructor(host, { addressOf = (excursion) => addressOfUnit(excursion.unit, { excursion: excursion.id }), figuresOf = unknownWords } = {}) {
    this.host = host;
    this.addressOf = addressOf;
    this.figuresOf = figuresOf;
    this.rows = new Map();
  }

  /** Show excursions in this order; rows that stay are moved, not made anew. */
  show(excursions, view) {
    const wanted = new Set(excursions.map((excursion) => excursion.id));
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      row.root.remove();
      this.rows.delete(id);
    }
    let before = null;
    for (let index = excursions.length - 1; index >= 0; index -= 1) {
      const row = this.rowOf(excursions[index].id);
      row.excursion = excursions[index];
      this.fill(row, view);
      if (row.root.nextSibling !== before || !row.root.parentNode) this.host.insertBefore(row.root, before);
      before = row.root;
    }
  }

  /** Let running durations go on. */
  passTime(view) {
    for (const row of this.rows.values()) {
      if (row.excursion.closedAt === null) fillDuration(row, view);
    }
  }

  rowOf(id) {
    let row = this.rows.get(id);
    if (!row) {
      row = copyTemplate("excursion-template");
      row.link = row.root.querySelector("a");
      row.use = row.root.querySelector("use");
      row.root.dataset.excursion = id;
      this.rows.set(id, row);
    }
    return row;
  }

  fill(row, view) {
    const { excursion, parts } = row;
    const unit = view.fleet.units.get(excursion.unit);
    const site = view.fleet.sites.get(excursion.site);
    const zone = site?.zone ?? "UTC";
    const address = this.addressOf(excursion);
    if (row.link.getAttribute("href") !== address) row.link.setAttribute("href", address);
    setData(row.link, "chosen", excursion.id === view.excursion ? "yes" : "no");
    setData(row.link, "severity", excursion.severity);
    setData(row.link, "open", excursion.closedAt === null ? "yes" : "no");
    setIcon(row.use, excursion.closedAt === null ? "excursion" : "in_range");
    setText(parts.unit, unit?.name ?? `Unit ${excursion.unit}`);
    setText(parts.site, site?.name ?? "");
    setText(parts.band, `${excursion.band}, ${excursion.severity}`);
    setText(parts.since, sinceWords(excursion, view.now, zone));
    setText(parts.peak, excursion.peak === null ? "" : `${excursion.side === "low" ? "lowest" : "peak"} ${temperatureWords(excursion.peak, view.degrees)}`);
    setText(parts.limit, limitWords(excursion.side, excursion.limit, view.degrees));
    const figures = this.figuresOf(excursion);
    setText(parts.figures, figures);
    setHidden(parts.figures, figures === "");
    fillDuration(row, view);
  }
}

function fillDuration(row, view) {
  const { excursion, parts } = row;
  setText(parts.duration, durationWords((excursion.endedAt ?? view.now) - excursion.startedAt));
}

function sinceWords(excursion, now, zone) {
  const start = momentWords(excursion.startedAt, now, zone);
  const span = excursion.endedAt === null ? `since ${start}` : `${start} to ${momentWords(excursion.endedAt, excursion.startedAt, zone)}`;
  return `${span} ${zoneWords(excursion.startedAt, zone)}`;
}
