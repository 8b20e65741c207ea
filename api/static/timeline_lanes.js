// Lanes of bars under the chart, each bar under its time. A bar tells its times and figures when pointed at or focused; arrow keys go from bar to bar.

import { element, setData, setHidden, setText } from "./dom.js";
import { barWords } from "./lane_words.js";

/** A bar narrower than this (px) could not be hit. */
const LEAST_WIDTH = 5;

export class TimelineLanes {
  /**
   * @param {HTMLElement} host
   * @param {{onTell: (words: string|null) => void, onStretch: (from: number, to: number) => void, addressOf: (excursion: object) => string}} hooks
   */
  constructor(host, hooks) {
    this.host = host;
    this.hooks = hooks;
    this.lanes = new Map();
    this.reached = null;
    host.addEventListener("keydown", (event) => this.takeKey(event));
    host.addEventListener("focusin", (event) => this.tell(event.target));
    host.addEventListener("focusout", () => this.tell(null));
    host.addEventListener("pointerover", (event) => this.tell(event.target));
    host.addEventListener("pointerleave", () => this.tell(document.activeElement));
  }

  /** @param {object[]} lanes of lanesOf @param {{from: number, to: number, zone: string, degrees: string, chosen: string|null, insets: object}} view */
  show(lanes, view) {
    this.view = view;
    this.host.style.setProperty("--plot-left", `${view.insets.left}px`);
    this.host.style.setProperty("--plot-right", `${view.insets.right}px`);
    const wanted = new Set(lanes.map((lane) => lane.key));
    for (const [key, lane] of this.lanes) {
      if (wanted.has(key)) continue;
      lane.root.remove();
      this.lanes.delete(key);
    }
    lanes.forEach((lane, place) => {
      const shown = this.laneOf(lane);
      if (this.host.children[place] !== shown.root) this.host.insertBefore(shown.root, this.host.children[place] ?? null);
      this.fill(shown, lane);
    });
    this.keepReachable();
    if (this.told) this.tell(this.told);
  }

  laneOf(lane) {
    let shown = this.lanes.get(lane.key);
    if (!shown) {
      const root = element("li", "lane");
      const title = element("span", "lane-title");
      const track = element("div", "lane-track");
      root.append(title, track);
      shown = { root, title, track, bars: new Map() };
      this.lanes.set(lane.key, shown);
    }
    return shown;
  }

  fill(shown, lane) {
    setText(shown.title, lane.title);
    setData(shown.root, "lane", lane.key);
    setData(shown.root, "bars", String(lane.bars.length));
    const wanted = new Set(lane.bars.map((bar) => bar.key));
    for (const [key, node] of shown.bars) {
      if (wanted.has(key)) continue;
      node.remove();
      shown.bars.delete(key);
    }
    for (const bar of lane.bars) this.place(this.nodeOf(shown, bar), bar);
  }

  nodeOf(shown, bar) {
    let node = shown.bars.get(bar.key);
    if (!node) {
      node = bar.excursion ? element("a", "bar") : element("button", "bar");
      if (!bar.excursion) {
        node.type = "button";
        node.addEventListener("click", () => this.hooks.onStretch(node.bar.from, node.bar.to));
      }
      node.tabIndex = -1;
      shown.bars.set(bar.key, node);
      shown.track.append(node);
    }
    return node;
  }

  place(node, bar) {
    const { from, to, zone, degrees, chosen } = this.view;
    node.bar = bar;
    const left = ((bar.from - from) / (to - from)) * 100;
    const width = ((bar.to - bar.from) / (to - from)) * 100;
    const position = `${left.toFixed(2)}/${width.toFixed(2)}`;
    if (node.position !== position) {
      node.position = position;
      node.style.left = `min(${left.toFixed(2)}%, 100% - ${LEAST_WIDTH}px)`;
      node.style.width = `max(${LEAST_WIDTH}px, ${width.toFixed(2)}%)`;
    }
    setData(node, "kind", bar.kind);
    setData(node, "open", bar.isOpen ? "yes" : "no");
    if (bar.excursion) {
      setData(node, "severity", bar.excursion.severity);
      setData(node, "chosen", bar.excursion.id === chosen ? "yes" : "no");
      const address = this.hooks.addressOf(bar.excursion);
      if (node.getAttribute("href") !== address) node.setAttribute("href", address);
    }
    const words = barWords(bar, { zone, degrees });
    if (node.words !== words) {
      node.words = words;
      node.setAttribute("aria-label", words);
    }
  }

  /** One bar of all can be reached by Tab; from there arrow keys go on. */
  keepReachable() {
    const bars = this.allBars();
    if (!bars.includes(this.reached)) this.reached = bars[0] ?? null;
    for (const bar of bars) {
      const index = bar === this.reached ? 0 : -1;
      if (bar.tabIndex !== index) bar.tabIndex = index;
    }
    setHidden(this.host, this.lanes.size === 0);
  }

  allBars() {
    return [...this.host.querySelectorAll(".bar")];
  }

  takeKey(event) {
    const bar = event.target.closest(".bar");
    if (!bar || !event.key.startsWith("Arrow")) return;
    const track = bar.parentElement;
    const isSideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    const next = isSideways ? beside(bar, track, event.key === "ArrowRight" ? 1 : -1) : this.inLaneNextTo(bar, track, event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (!next) return;
    this.reached = next;
    this.keepReachable();
    next.focus();
  }

  /** The bar nearest in time in the next lane that has any. */
  inLaneNextTo(bar, track, step) {
    const tracks = [...this.host.querySelectorAll(".lane-track")].filter((one) => one.childElementCount > 0);
    const other = tracks[tracks.indexOf(track) + step];
    if (!other) return null;
    const middle = (node) => (node.bar.from + node.bar.to) / 2;
    return [...other.children].reduce((best, one) => (Math.abs(middle(one) - middle(bar)) < Math.abs(middle(best) - middle(bar)) ? one : best));
  }

  tell(node) {
    const bar = node?.closest?.(".bar") ?? null;
    this.told = bar && this.host.contains(bar) ? bar : null;
    if (this.told && document.activeElement === this.told) this.reached = this.told;
    this.hooks.onTell(this.told ? this.told.words : null);
  }
}

function beside(bar, track, step) {
  const inTime = [...track.children].sort((one, other) => one.bar.from - other.bar.from);
  return inTime[inTime.indexOf(bar) + step] ?? null;
}
