// The panel as it was known at an instant: the mark that says so, the way back, and the form that asks for another instant.

import { setData, setHidden, setText } from "./dom.js";
import { exactMoment } from "./figure_words.js";
import { serverNow } from "./rest.js";
import { addressOfUnit } from "./session.js";
import { clockWords, counted, temperatureWords, zoneWords } from "./words.js";
import { fromWallTime, toWallTime } from "./zone_time.js";

export class AsKnown {
  /** @param {HTMLElement} panel @param {Object<string, HTMLElement>} parts */
  constructor(panel, parts) {
    this.panel = panel;
    this.parts = parts;
    this.shownFor = undefined;
    parts["known-at-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    parts["known-at"].addEventListener("input", () => parts["known-at"].setCustomValidity(""));
  }

  /** @param {{unit: object, excursion: string|null, knownAt: number|null, now: number, zone: string, degrees: string, lastReading: object|null, correctedSince: number}} view */
  show(view) {
    const { parts } = this;
    const { knownAt, zone } = view;
    this.view = view;
    const isThen = knownAt !== null;
    setData(this.panel, "asKnown", isThen ? "yes" : "no");
    for (const name of ["now", "facts"]) setHidden(parts[name], isThen);
    for (const name of ["as-known", "as-known-note"]) setHidden(parts[name], !isThen);
    if (this.shownFor !== `${knownAt} ${zone}`) {
      this.shownFor = `${knownAt} ${zone}`;
      parts["known-at"].value = toWallTime(knownAt ?? view.now, zone);
      setText(parts["known-at-hint"], `Time of ${zone}. What was learnt later is then left out.`);
    }
    if (!isThen) return;
    setText(parts["as-known-title"], `As known at ${exactMoment(knownAt, zone)} ${zoneWords(knownAt, zone)}`);
    setText(parts["as-known-value"], valueWords(view));
    setHidden(parts["as-known-corrected"], view.correctedSince === 0);
    setText(parts["as-known-corrected"], `Readings are shown as corrected today: ${counted(view.correctedSince, "correction", "corrections")} of this time came later.`);
    parts["as-known-back"].href = addressOfUnit(view.unit.id, { excursion: view.excursion });
  }

  ask() {
    const field = this.parts["known-at"];
    const at = fromWallTime(field.value, this.view.zone);
    if (at === null || at > serverNow()) {
      field.setCustomValidity(at === null ? "Enter a whole date and time." : "This lies in the future: nobody knows yet what will be known then.");
      field.reportValidity();
      return;
    }
    location.hash = addressOfUnit(this.view.unit.id, { excursion: this.view.excursion, knownAt: at });
  }
}

function valueWords({ lastReading, knownAt, zone, degrees, maxGapMs }) {
  if (lastReading === null) return "";
  const when = knownAt - lastReading.measuredAt < 86_400_000 ? clockWords(lastReading.measuredAt, zone) : exactMoment(lastReading.measuredAt, zone);
  if (lastReading.temperature === null) return `The probe told a fault at ${when}.`;
  const isOld = maxGapMs !== null && knownAt >= lastReading.measuredAt + maxGapMs;
  return `${isOld ? "Unknown; last" : "Then"} ${temperatureWords(lastReading.temperature, degrees)}, measured at ${when}.`;
}
