// What counts as an excursion in the chosen unit: its bands in words, and what is left of the budgets of one sensor.

import { bandWords, endWords, roleWords } from "./band_words.js";
import { budgetLine, noBudgetLine } from "./budget_line.js";
import { element, setHidden } from "./dom.js";

export class JudgedBy {
  /** @param {HTMLElement} list @param {HTMLElement} none said where there is nothing */
  constructor(list, none) {
    this.list = list;
    this.none = none;
    this.key = null;
  }

  /**
   * @param {object[]} bands @param {object[]|null|undefined} budgets of the sensor; null where there are too many readings, undefined before they are known
   * @param {{now: number, zone: string, degrees: string, probe: string}} view
   */
  show(bands, budgets, view) {
    const key = JSON.stringify([view.degrees, view.zone, view.probe, bands, budgets === undefined ? "unknown" : budgets]);
    if (this.key === key) return;
    this.key = key;
    setHidden(this.none, bands.length > 0);
    this.list.replaceChildren(
      ...bands.map(({ name, severity, document: band }) => {
        const item = element("li");
        item.append(
          element("b", "", `${name}, ${severity}`),
          element("span", "", bandWords(band, view.degrees)),
          element("span", "quiet", endWords(band, view.degrees)),
        );
        if (band.role === "operational") item.append(element("span", "quiet", roleWords(band)));
        if (band.kind === "cumulative") item.append(...budgetLines(name, budgets, view));
        return item;
      }),
    );
  }
}

/** What is left of a band's budget; nothing while its excursion is open or before it has been fetched. */
function budgetLines(band, budgets, view) {
  if (budgets === undefined) return [];
  if (budgets === null) return [noBudgetLine()];
  return budgets.filter((budget) => budget.band === band).map((budget) => budgetLine(budget, view));
}
