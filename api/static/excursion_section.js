// The open excursions of the whole fleet, worst and newest first, and those closed in the last day.

import { byId, setData, setHidden, setText } from "./dom.js";
import { ExcursionList } from "./excursion_list.js";

const SHOWN_FIRST = 6;
const SEVERITIES = ["critical", "warning"];

export class ExcursionSection {
  /** @param {() => object} currentView */
  constructor(currentView) {
    this.open = new ExcursionList(byId("open-list"));
    this.closed = new ExcursionList(byId("closed-list"));
    this.areAllShown = false;
    byId("open-more").addEventListener("click", () => {
      this.areAllShown = !this.areAllShown;
      this.show(currentView());
    });
  }

  show(view) {
    const open = [...view.fleet.open.values()].sort(
      (one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || other.startedAt - one.startedAt,
    );
    const closed = [...view.fleet.closed.values()].sort((one, other) => other.closedAt - one.closedAt);
    this.open.show(this.areAllShown ? open : open.slice(0, SHOWN_FIRST), view);
    this.closed.show(closed, view);
    this.showCounts(open.length, closed.length);
    document.title = open.length > 0 ? `(${open.length}) Coldstream` : "Coldstream";
  }

  showCounts(open, closed) {
    const more = open - SHOWN_FIRST;
    setText(byId("open-count"), open.toLocaleString("en-GB"));
    setData(byId("open-count"), "some", open > 0 ? "yes" : "no");
    setHidden(byId("open-none"), open > 0);
    setText(byId("open-none"), "None. Nothing has been out of range for longer than its policy allows.");
    setHidden(byId("open-more"), more <= 0);
    setText(byId("open-more"), this.areAllShown ? "Show fewer" : `Show ${more} more`);
    byId("open-more").setAttribute("aria-expanded", String(this.areAllShown));
    setText(byId("closed-count"), String(closed));
    setHidden(byId("closed"), closed === 0);
  }

  /** Let the running durations go on. */
  passTime(view) {
    this.open.passTime(view);
  }
}
