// What is left of a cumulative band's budget: a sentence, and a small bar that shows the same.

import { budgetWords } from "./band_words.js";
import { element } from "./dom.js";

/** The line of a budget of rest.fetchBudgets; `probe` names the sensor where a unit has several. */
export function budgetLine(budget, { now, zone, probe }) {
  const line = element("p", "budget");
  const bar = element("span", "budget-bar");
  bar.setAttribute("aria-hidden", "true");
  bar.append(part("used", budget.usedSeconds, budget), part("unknown", budget.leftSeconds - budget.leftAtWorstSeconds, budget));
  line.append(bar, element("span", "", `${probe ? `${probe}: ` : ""}${budgetWords(budget, now, zone)}`));
  return line;
}

/** Said where there are too many readings to add up. */
export function noBudgetLine() {
  return element("p", "budget quiet", "Too many readings to add up what is left.");
}

function part(kind, seconds, budget) {
  const node = element("span", `budget-${kind}`);
  node.style.width = `${Math.min(100, (100 * seconds) / budget.budgetSeconds).toFixed(2)}%`;
  return node;
}
