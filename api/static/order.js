// Which units are shown, in which order, under which site. Pure.

import { rank, STATES } from "./states.js";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * Places by name, worked out once per change of names: comparing strings is far too slow to do at every change of a state.
 * @returns {{sites: Map<number, number>, units: Map<number, number>, texts: Map<number, string>}}
 */
export function rankNames(fleet) {
  const siteName = (id) => fleet.sites.get(id)?.name ?? "";
  const sites = [...fleet.sites.values()].sort((one, other) => collator.compare(one.name, other.name) || one.id - other.id);
  const bySite = new Map();
  const texts = new Map();
  for (const unit of fleet.units.values()) {
    if (!bySite.has(unit.site)) bySite.set(unit.site, []);
    bySite.get(unit.site).push(unit);
    texts.set(unit.id, `${unit.name} ${siteName(unit.site)}`.toLowerCase());
  }
  const units = new Map();
  for (const group of bySite.values()) {
    group.sort((one, other) => collator.compare(one.name, other.name) || one.id - other.id);
    group.forEach((unit, place) => units.set(unit.id, place));
  }
  return { sites: new Map(sites.map((site, place) => [site.id, place])), units, texts };
}

/**
 * Groups of units by site.
 * @param {{order: "name"|"worst", state: string|null, text: string}} wish
 * @returns {{site: object, units: object[]}[]}
 */
export function arrange(fleet, names, wish) {
  const words = wish.text.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map();
  for (const unit of fleet.units.values()) {
    if (wish.state !== null && unit.shown !== wish.state) continue;
    if (words.length > 0 && !words.every((word) => names.texts.get(unit.id)?.includes(word))) continue;
    let group = groups.get(unit.site);
    if (!group) {
      group = { site: fleet.sites.get(unit.site) ?? unknownSite(unit.site), units: [], worst: STATES.length };
      groups.set(unit.site, group);
    }
    group.units.push(unit);
    group.worst = Math.min(group.worst, rank(unit.shown));
  }
  const place = (unit) => names.units.get(unit.id) ?? 0;
  const sitePlace = (group) => names.sites.get(group.site.id) ?? 0;
  const isWorstFirst = wish.order === "worst";
  const ordered = [...groups.values()].sort((one, other) => (isWorstFirst && one.worst - other.worst) || sitePlace(one) - sitePlace(other));
  for (const group of ordered) {
    group.units.sort((one, other) => (isWorstFirst && rank(one.shown) - rank(other.shown)) || place(one) - place(other));
  }
  return ordered;
}

/** How many units are in each state. */
export function countStates(fleet) {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const unit of fleet.units.values()) counts.set(unit.shown, (counts.get(unit.shown) ?? 0) + 1);
  return counts;
}

function unknownSite(id) {
  return { id, organization: 0, name: `Site ${id}`, zone: "UTC" };
}
