// One tile: a unit's name, state in colour, icon and word, its temperature and how old that is. Reused for other units as the list scrolls.

import { copyTemplate, setData, setFacts, setIcon, setText } from "./dom.js";
import { addressOfUnit } from "./session.js";
import { STATE_WORDS } from "./states.js";
import { ageWords, bareTemperature, degreesSign, oldWords } from "./words.js";

export class Tile {
  constructor() {
    const { root, parts } = copyTemplate("tile-template");
    this.cell = root;
    this.link = root.querySelector("a");
    this.use = root.querySelector("use");
    this.parts = parts;
    this.unit = null;
  }

  /** Show another unit in this tile. */
  bind(unit, place, count) {
    this.unit = unit;
    const address = addressOfUnit(unit.id);
    if (this.link.getAttribute("href") !== address) {
      this.link.setAttribute("href", address);
      this.link.dataset.unit = unit.id;
    }
    this.cell.setAttribute("aria-posinset", place + 1);
    this.cell.setAttribute("aria-setsize", count);
  }

  moveTo(x, y, width) {
    const position = `translate(${x}px, ${y}px)`;
    if (this.position === position && this.width === width) return;
    this.position = position;
    this.width = width;
    this.cell.style.transform = position;
    this.cell.style.width = `${width}px`;
  }

  show(view) {
    const unit = this.unit;
    setData(this.link, "state", unit.shown);
    setData(this.link, "known", unit.isKnown ? "yes" : "no");
    const isChosen = view.chosen === unit.id;
    if (isChosen !== this.isChosen) {
      this.isChosen = isChosen;
      if (isChosen) this.link.setAttribute("aria-current", "true");
      else this.link.removeAttribute("aria-current");
    }
    setIcon(this.use, unit.shown);
    setText(this.parts.word, STATE_WORDS[unit.shown]);
    setText(this.parts.name, unit.name);
    showTemperature(this.parts, unit, view.degrees);
    setFacts(this.parts.more, smallFacts(unit));
    this.showAge(view.now);
  }

  showAge(now) {
    setText(this.parts.age, valueAge(this.unit, now));
  }
}

/** Number and sign in nodes of their own, so that the sign can be smaller. */
export function showTemperature(parts, unit, degrees) {
  const celsius = unit.headline?.temperature ?? null;
  setText(parts.temperature, bareTemperature(celsius, degrees));
  setText(parts.degrees, celsius === null ? "" : `\u00a0${degreesSign(degrees)}`);
}

/** "12 s ago", or why there is no value. */
export function valueAge(unit, now) {
  const sensor = unit.headline;
  if (!sensor || sensor.measuredAt === 0) return "no reading yet";
  const age = now - sensor.measuredAt;
  if (sensor.fault !== null) return `probe fault ${ageWords(age)}`;
  return unit.isKnown ? ageWords(age) : oldWords(age);
}

/** Battery, door, humidity: [icon, text, label for those who cannot see the icon]. */
export function smallFacts(unit) {
  const facts = [];
  if (unit.doorOpen === true) facts.push(["door", "Open", "Door"]);
  if (unit.humidity !== null) facts.push(["humidity", `${Math.round(unit.humidity)} %`, "Humidity"]);
  if (unit.batteryPercent !== null) facts.push(["battery", `${unit.batteryPercent} %`, "Battery"]);
  else if (unit.batteryVolts !== null) facts.push(["battery", `${unit.batteryVolts.toFixed(2)} V`, "Battery"]);
  return facts;
}
