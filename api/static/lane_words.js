// What a bar of a lane tells, in one sentence. Pure.

import { correctionWords, saidOf } from "./corrections.js";
import { conditionWords, excursionWords, stretchWords, unknownStretchWords } from "./figure_words.js";
import { conditionTitle } from "./lanes.js";

/** @param {object} bar of lanesOf @param {{zone: string, degrees: string}} view */
export function barWords(bar, view) {
  switch (bar.kind) {
    case "open":
    case "closed":
    case "voided":
      return excursionWords(bar.excursion, bar.kind, view);
    case "pending":
      return `Out of range, ${stretchWords(bar.from, null, view.zone)}: not yet an excursion, its hold has not passed.`;
    case "unknown":
      return unknownStretchWords(bar.stretches, bar.isOpen, view.zone);
    case "possible":
    case "condition":
      return conditionWords(bar.condition, conditionTitle(bar.condition.kind), view.zone);
    case "maintenance":
      return `Declared maintenance: ${stretchWords(bar.window.from, bar.window.to, view.zone)}. ${saidOf({ ...bar.window, madeBy: bar.window.declaredBy, revokedAt: null }, view.zone)}`;
    case "correction":
    case "revoked":
      return `${correctionWords(bar.correction, view)}. ${saidOf(bar.correction, view.zone)}`;
    default:
      return "";
  }
}
