// The conditions of the chosen sensor and its device in the panel: those that stand first, then those that ended within the time shown.

import { alertWords, conditionTimes, limitOfCondition, seenWords } from "./condition_words.js";
import { make, setHidden, setText } from "./dom.js";
import { conditionTitle } from "./lanes.js";

export class ConditionsSection {
  /** @param {Object<string, HTMLElement>} parts of the panel */
  constructor(parts) {
    this.parts = parts;
    this.key = null;
  }

  /** @param {object[]} conditions @param {object} terms of the policy in force, by kind @param {{now: number, zone: string, degrees: string, sensor: object|null}} view */
  show(conditions, terms, view) {
    const minute = Math.floor(view.now / 60_000);
    const key = JSON.stringify([conditions, terms, view.zone, view.degrees, view.sensor?.offlineAfterMs, minute]);
    if (key === this.key) return;
    this.key = key;
    const newest = conditions.toSorted((one, other) => other.startedAt - one.startedAt);
    const standing = newest.filter((condition) => condition.endedAt === null);
    const ended = newest.filter((condition) => condition.endedAt !== null);
    const { parts } = this;
    setText(parts["condition-count"], String(standing.length));
    setHidden(parts["condition-none"], standing.length > 0);
    const item = (condition) => this.item(condition, terms, view);
    parts["condition-list"].replaceChildren(...standing.map(item));
    setHidden(parts["condition-ended"], ended.length === 0);
    setText(parts["condition-ended-title"], `Ended in this time (${ended.length})`);
    parts["condition-ended-list"].replaceChildren(...ended.map(item));
  }

  item(condition, terms, view) {
    const title = `${conditionTitle(condition.kind)}${condition.band ? `, ${condition.band}` : ""}`;
    const limit = limitOfCondition(condition, terms, { offlineAfterMs: view.sensor?.offlineAfterMs ?? null });
    const lines = [conditionTimes(condition, view.now, view.zone), seenWords(condition, view.degrees)].filter(Boolean);
    const quiet = [limit, alertWords(condition)].filter(Boolean).join(". ");
    return make(
      "li",
      { "data-condition": condition.kind, "data-open": condition.endedAt === null ? "yes" : "no" },
      make("b", {}, title),
      lines.map((line) => make("span", {}, `${line}.`)),
      quiet && make("span", { class: "quiet" }, `${quiet}.`),
    );
  }
}
