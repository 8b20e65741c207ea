// The tiles by site, ten thousand of them if need be: only those near the visible part of the page are in the document.
// Everything is placed by arithmetic, so that scrolling and updates never make the browser lay out the whole list.

import { element } from "./dom.js";
import { Tile } from "./tile.js";
import { zoneWords } from "./words.js";

const TILE_HEIGHT = 134;
const GAP = 12;
const HEAD = 46;
const AFTER_SITE = 6;
const NARROWEST = 210;
const NARROWEST_ON_PHONE = 150;
/** Pixels beyond the window that are kept ready. */
const AHEAD = 500;

export class TileGrid {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.groups = [];
    this.sections = new Map();
    this.spare = [];
    this.width = 0;
    this.view = { degrees: "celsius", chosen: null, now: 0 };
    this.focusAt = null;
    host.addEventListener("keydown", (event) => this.takeKey(event));
    host.addEventListener("focusin", (event) => this.noteFocus(event.target));
  }

  /** Show groups of units, in this order. */
  setGroups(groups) {
    const focused = document.activeElement?.closest?.("#grid a")?.dataset.unit;
    this.groups = groups.map((group, index) => ({ ...group, index }));
    this.place();
    this.paint(true);
    if (focused && document.activeElement?.dataset?.unit !== focused) this.linkOf(Number(focused))?.focus({ preventScroll: true });
  }

  /** The window's width has changed: place everything anew. */
  resize() {
    if (this.host.clientWidth === this.width) return;
    this.place();
    this.paint(true);
  }

  place() {
    this.width = this.host.clientWidth;
    const narrowest = this.width < 520 ? NARROWEST_ON_PHONE : NARROWEST;
    this.columns = Math.max(1, Math.floor((this.width + GAP) / (narrowest + GAP)));
    this.tileWidth = Math.floor((this.width - GAP * (this.columns - 1)) / this.columns);
    let top = 0;
    let first = 0;
    for (const group of this.groups) {
      group.top = top;
      group.first = first;
      group.height = HEAD + Math.ceil(group.units.length / this.columns) * (TILE_HEIGHT + GAP);
      top += group.height + AFTER_SITE;
      first += group.units.length;
    }
    this.count = first;
    this.host.style.height = `${top}px`;
    this.host.dataset.units = String(first);
  }

  /** Put what is near the window into the document and take the rest out. */
  paint(isRebound = false) {
    const above = this.host.getBoundingClientRect().top;
    const from = -above - AHEAD;
    const to = -above + innerHeight + AHEAD;
    const wanted = new Set();
    for (let index = this.firstBelow(from); index < this.groups.length && this.groups[index].top < to; index += 1) wanted.add(index);
    for (const [index, section] of this.sections) {
      if (!wanted.has(index)) this.dropSection(index, section);
    }
    for (const index of wanted) this.paintSection(this.groups[index], from, to, isRebound);
  }

  paintSection(group, from, to, isRebound) {
    let section = this.sections.get(group.index);
    if (!section) {
      section = newSection();
      this.sections.set(group.index, section);
      const after = [...this.sections.keys()].filter((index) => index > group.index).sort((one, other) => one - other)[0];
      this.host.insertBefore(section.root, after === undefined ? null : this.sections.get(after).root);
      isRebound = true;
    }
    if (isRebound) this.showHead(section, group);
    const rowHeight = TILE_HEIGHT + GAP;
    const firstRow = Math.max(0, Math.floor((from - group.top - HEAD) / rowHeight));
    const lastRow = Math.floor((to - group.top - HEAD) / rowHeight);
    const first = firstRow * this.columns;
    const last = Math.max(first, Math.min(group.units.length, (lastRow + 1) * this.columns));
    for (const [place, tile] of section.tiles) {
      if (place >= first && place < last) continue;
      section.tiles.delete(place);
      tile.cell.remove();
      this.spare.push(tile);
    }
    for (let place = first; place < last; place += 1) this.paintTile(section, group, place, isRebound);
  }

  paintTile(section, group, place, isRebound) {
    let tile = section.tiles.get(place);
    const isNew = !tile;
    if (isNew) {
      tile = this.spare.pop() ?? new Tile();
      section.tiles.set(place, tile);
    }
    if (!isNew && !isRebound) return;
    tile.bind(group.units[place], place, group.units.length);
    const column = place % this.columns;
    tile.moveTo(column * (this.tileWidth + GAP), HEAD + Math.floor(place / this.columns) * (TILE_HEIGHT + GAP), this.tileWidth);
    tile.link.tabIndex = group.first + place === this.reachable() ? 0 : -1;
    tile.show(this.view);
    if (isNew) section.list.insertBefore(tile.cell, section.tiles.get(place + 1)?.cell ?? null);
  }

  showHead(section, group) {
    section.root.style.transform = `translateY(${group.top}px)`;
    section.root.style.height = `${group.height}px`;
    section.root.dataset.site = group.site.id;
    section.name.textContent = group.site.name;
    section.zone.textContent = `${group.units.length} · ${group.site.zone} (${zoneWords(this.view.now, group.site.zone)})`;
    section.root.setAttribute("aria-label", group.site.name);
  }

  dropSection(index, section) {
    for (const tile of section.tiles.values()) {
      tile.cell.remove();
      this.spare.push(tile);
    }
    section.root.remove();
    this.sections.delete(index);
  }

  /** Show anew those of these units that are in the document. */
  update(units) {
    for (const tile of this.tilesShown()) {
      if (units.has(tile.unit.id)) tile.show(this.view);
    }
  }

  updateAll() {
    for (const tile of this.tilesShown()) tile.show(this.view);
  }

  updateAges() {
    for (const tile of this.tilesShown()) tile.showAge(this.view.now);
  }

  *tilesShown() {
    for (const section of this.sections.values()) yield* section.tiles.values();
  }

  linkOf(unit) {
    for (const tile of this.tilesShown()) {
      if (tile.unit.id === unit) return tile.link;
    }
    return null;
  }

  firstBelow(offset) {
    let low = 0;
    let high = this.groups.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.groups[middle].top + this.groups[middle].height < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The place in the whole list that Tab reaches; arrow keys go on from there. */
  reachable() {
    return Math.min(this.focusAt ?? 0, Math.max(0, this.count - 1));
  }

  noteFocus(target) {
    const unit = Number(target.closest("a")?.dataset.unit);
    for (const section of this.sections) {
      const [index, { tiles }] = section;
      for (const [place, tile] of tiles) {
        const isFocused = tile.unit.id === unit;
        tile.link.tabIndex = isFocused ? 0 : -1;
        if (isFocused) this.focusAt = this.groups[index].first + place;
      }
    }
  }

  takeKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || this.count === 0) return;
    const target = this.targetOfKey(event.key);
    if (target === null) return;
    event.preventDefault();
    const group = this.groups.findLast((candidate) => candidate.first <= target && candidate.units.length > 0);
    this.focusAt = target;
    const unit = group.units[target - group.first];
    const top = group.top + HEAD + Math.floor((target - group.first) / this.columns) * (TILE_HEIGHT + GAP) + this.host.getBoundingClientRect().top;
    const margin = 130;
    if (top < margin) scrollBy(0, top - margin);
    else if (top + TILE_HEIGHT > innerHeight - 20) scrollBy(0, top + TILE_HEIGHT - innerHeight + 20);
    this.paint();
    this.linkOf(unit.id)?.focus({ preventScroll: true });
  }

  targetOfKey(key) {
    const at = this.reachable();
    const group = this.groups.findLast((candidate) => candidate.first <= at && candidate.units.length > 0);
    const within = at - group.first;
    switch (key) {
      case "ArrowRight":
        return Math.min(at + 1, this.count - 1);
      case "ArrowLeft":
        return Math.max(at - 1, 0);
      case "ArrowDown":
        return within + this.columns < group.units.length ? at + this.columns : Math.min(group.first + group.units.length, this.count - 1);
      case "ArrowUp":
        return within - this.columns >= 0 ? at - this.columns : Math.max(group.first - 1, 0);
      case "Home":
        return 0;
      case "End":
        return this.count - 1;
      default:
        return null;
    }
  }
}

function newSection() {
  const root = element("section", "site");
  const head = element("h3", "site-head");
  const name = element("span", "site-name");
  const zone = element("span", "site-zone");
  const list = element("ul", "tiles");
  head.append(name, zone);
  root.append(head, list);
  return { root, name, zone, list, tiles: new Map() };
}
