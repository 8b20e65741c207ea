// The chart of one sensor: its readings, the limits that were in force, excursions shaded, unknown time hatched. Draws what it is given, asks nothing.

import { element } from "./dom.js";
import { bareTemperature, clockWords, dayWords, inDegrees } from "./words.js";

const HEIGHT = 300;
const HEIGHT_ON_PHONE = 240;
/** A limit further off than this many spans of the readings would flatten them, and is left out of the picture. */
const LIMIT_REACH = 1.5;
const LEAST_SPAN_CELSIUS = 2;
/** A narrower selection is a click. */
const LEAST_SELECTION = 8;
const TWO_DAYS_MS = 2 * 86_400_000;

export class Chart {
  /**
   * @param {HTMLElement} host
   * @param {{onHover: (at: number|null) => void, onSelect: (from: number, to: number) => void, onReset: () => void}} hooks
   *   told the time (ms) under the pointer, a stretch that was dragged over, and a double click
   */
  constructor(host, hooks) {
    this.host = host;
    this.hooks = hooks;
    this.isDragging = false;
    this.plot = null;
    this.picture = null;
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(host);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.redrawAll);
    host.addEventListener("keydown", (event) => this.takeKey(event));
  }

  /**
   * @param {{columns: object, isBand: boolean, from: number, to: number, zone: string, degrees: string,
   *   maintenance: {from: number, to: number}[], marked: {from: number, to: number}|null, shaded: {from: number, to: number, isOpen: boolean}[],
   *   limits: {name: string, side: string, limit: number, from: number, to: number}[]}} picture
   */
  show(picture) {
    // A selection under the finger must not be lost to a reading that comes in meanwhile.
    if (this.isDragging) return;
    const isSameKind =
      this.plot && this.picture.isBand === picture.isBand && this.picture.degrees === picture.degrees && this.picture.zone === picture.zone;
    this.picture = picture;
    this.scaleY = rangeOfDegrees(picture);
    const data = dataOf(picture);
    if (isSameKind) {
      this.plot.batch(() => {
        this.plot.setData(data, false);
        this.plot.setScale("x", { min: picture.from / 1000, max: picture.to / 1000 });
        this.plot.setScale("y", this.scaleY);
      });
    } else {
      this.build(data);
    }
    this.host.dataset.shaded = String(picture.shaded.length);
    this.host.dataset.unknown = String(picture.columns.unknown.length);
    this.host.dataset.limits = String(new Set(picture.limits.map((piece) => `${piece.name} ${piece.side} ${piece.limit}`)).size);
    this.host.dataset.points = String(picture.columns.x.length);
    this.host.dataset.marked = picture.marked ? "yes" : "no";
    this.host.dataset.maintenance = String(picture.maintenance.length);
    this.host.dataset.kind = picture.isBand ? "band" : "line";
  }

  destroy() {
    this.observer.disconnect();
    this.scheme.removeEventListener("change", this.redrawAll);
    this.plot?.destroy();
    this.plot = null;
  }

  redrawAll = () => {
    if (this.picture && this.plot) this.build(dataOf(this.picture));
  };

  build(data) {
    this.plot?.destroy();
    this.colors = readColors(this.host);
    this.hatch = hatchPattern(this.colors.hatch);
    this.plot = new uPlot(this.options(), data, this.host);
    this.plot.over.addEventListener("mousedown", () => this.beginDrag());
    this.plot.over.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse") this.plot.setCursor({ left: event.offsetX, top: event.offsetY });
    });
  }

  beginDrag() {
    this.isDragging = true;
    addEventListener("mouseup", () => (this.isDragging = false), { once: true });
  }

  /** Where the plot lies within the host, in CSS pixels from either side: what stands below can stand under the same times. */
  insets() {
    const over = this.plot.over;
    return { left: over.offsetLeft, right: this.plot.root.offsetWidth - over.offsetLeft - over.offsetWidth };
  }

  size() {
    return { width: Math.max(200, this.host.clientWidth), height: innerWidth < 720 ? HEIGHT_ON_PHONE : HEIGHT };
  }

  fit() {
    if (!this.plot) return;
    const { width, height } = this.size();
    if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
  }

  options() {
    const { colors, picture } = this;
    const axis = { stroke: colors.text, font: colors.font, ticks: { show: false }, grid: { stroke: colors.grid, width: 1 } };
    return {
      ...this.size(),
      padding: [10, 18, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => inZone(seconds, picture.zone),
      scales: { x: { time: true, min: picture.from / 1000, max: picture.to / 1000 }, y: { range: () => [this.scaleY.min, this.scaleY.max] } },
      axes: [
        { ...axis, space: 64, size: 34, values: (_, splits) => splits.map((split) => this.timeWords(split * 1000)) },
        { ...axis, size: 46, space: 36, values: (_, splits) => splits.map((split) => degreesOnAxis(split)) },
      ],
      series: [{}, ...(picture.isBand ? bandSeries(colors) : lineSeries(colors))],
      bands: picture.isBand ? [{ series: [1, 2], fill: colors.band }] : [],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 }, bind: { dblclick: () => () => this.hooks.onReset() } },
      hooks: {
        drawClear: [(plot) => this.drawSpans(plot)],
        draw: [(plot) => this.drawLimits(plot)],
        setCursor: [(plot) => this.hooks.onHover(plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, "x") * 1000)],
        setSelect: [(plot) => this.takeSelection(plot)],
      },
    };
  }

  takeSelection(plot) {
    const { left, width } = plot.select;
    if (width === 0) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.isDragging = false;
    if (width < LEAST_SELECTION) return;
    this.hooks.onSelect(plot.posToVal(left, "x") * 1000, plot.posToVal(left + width, "x") * 1000);
  }

  timeWords(at) {
    const { from, to, zone } = this.picture;
    const clock = clockWords(at, zone);
    if (to - from > TWO_DAYS_MS) return dayWords(at, zone);
    return clock === "00:00" ? dayWords(at, zone) : clock;
  }

  drawSpans(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = this.colors.maintenance;
    for (const window of this.picture.maintenance) fillSpan(plot, window.from, window.to);
    ctx.fillStyle = this.hatch(ctx);
    for (const [from, to] of this.picture.columns.unknown) fillSpan(plot, from, to);
    for (const span of this.picture.shaded) {
      ctx.fillStyle = span.isOpen ? this.colors.openShade : this.colors.shade;
      fillSpan(plot, span.from, span.to);
    }
    if (this.picture.marked) this.drawMarked(plot, this.picture.marked);
    ctx.restore();
  }

  /** The stretch that was chosen to be corrected, with an edge at either end. */
  drawMarked(plot, { from, to }) {
    const { ctx, bbox } = plot;
    ctx.fillStyle = this.colors.band;
    fillSpan(plot, from, to);
    ctx.fillStyle = this.colors.line;
    for (const at of [from, to]) ctx.fillRect(plot.valToPos(at / 1000, "x", true) - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
  }

  drawLimits(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = this.colors.limit;
    ctx.fillStyle = this.colors.limit;
    ctx.font = this.colors.canvasFont;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    const labelled = new Set();
    for (const piece of this.picture.limits) this.drawLimit(plot, piece, labelled);
    ctx.restore();
  }

  drawLimit(plot, { side, limit, from, to }, labelled) {
    const { ctx, bbox } = plot;
    const y = plot.valToPos(inDegrees(limit, this.picture.degrees), "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    const left = Math.max(bbox.left, plot.valToPos(from / 1000, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1000, "x", true));
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
    // A limit that was changed ends with a stroke, so that the step is seen where the lines lie far apart.
    if (right < bbox.left + bbox.width - 1) {
      ctx.moveTo(right, y - 4 * devicePixelRatio);
      ctx.lineTo(right, y + 4 * devicePixelRatio);
    }
    ctx.stroke();
    const text = bareTemperature(limit, this.picture.degrees);
    if (labelled.has(`${text} ${left}`)) return;
    labelled.add(`${text} ${left}`);
    ctx.textBaseline = side === "low" ? "top" : "bottom";
    const x = Math.min(left + 5 * devicePixelRatio, bbox.left + bbox.width - ctx.measureText(text).width - 3 * devicePixelRatio);
    this.writeOverLine(ctx, text, x, y + (side === "low" ? 4 : -4) * devicePixelRatio);
  }

  /** Text with a rim of the ground's colour, readable where the line of readings runs through it. */
  writeOverLine(ctx, text, x, y) {
    ctx.save();
    ctx.setLineDash([]);
    ctx.lineJoin = "round";
    ctx.textAlign = "left";
    ctx.lineWidth = 4 * devicePixelRatio;
    ctx.strokeStyle = this.colors.surface;
    ctx.strokeText(text, x, y);
    ctx.fillText(text, x, y);
    ctx.restore();
  }

  /** Left and right move the cursor for those who use no pointer. */
  takeKey(event) {
    if (!this.plot || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    event.preventDefault();
    const width = this.plot.over.clientWidth;
    const at = this.plot.cursor.left < 0 ? width : this.plot.cursor.left;
    const step = Math.max(1, width / 96);
    this.plot.setCursor({ left: Math.max(0, Math.min(width - 1, at + (event.key === "ArrowLeft" ? -step : step))), top: 0 });
  }
}

function dataOf({ columns, isBand, degrees }) {
  const shown = (values) => (degrees === "celsius" ? values : values.map((value) => (value === null ? null : inDegrees(value, degrees))));
  const x = columns.x.map((at) => at / 1000);
  return isBand ? [x, shown(columns.high), shown(columns.low), shown(columns.mean)] : [x, shown(columns.y)];
}

function rangeOfDegrees({ columns, limits, degrees }) {
  let low = columns.lowest;
  let high = columns.highest;
  if (low === null) {
    const values = limits.map((limit) => limit.limit);
    low = Math.min(0, ...values);
    high = Math.max(low + LEAST_SPAN_CELSIUS, ...values);
  }
  const reach = LIMIT_REACH * Math.max(high - low, LEAST_SPAN_CELSIUS) + LEAST_SPAN_CELSIUS;
  const near = limits.map((limit) => limit.limit).filter((limit) => limit > low - reach && limit < high + reach);
  const bottom = Math.min(low, ...near);
  const top = Math.max(high, ...near);
  const margin = Math.max((top - bottom) * 0.1, 0.4);
  return { min: inDegrees(bottom - margin, degrees), max: inDegrees(top + margin, degrees) };
}

function lineSeries(colors) {
  return [{ stroke: colors.line, width: 1.75, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }];
}

function bandSeries(colors) {
  const edge = { stroke: colors.bandEdge, width: 1, points: { show: false } };
  return [edge, edge, { stroke: colors.line, width: 1.75, points: { show: false } }];
}

function fillSpan(plot, from, to) {
  const left = plot.valToPos(from / 1000, "x", true);
  const right = plot.valToPos(to / 1000, "x", true);
  // A short excursion must not vanish because the screen has too few pixels.
  const width = Math.max(right - left, 2 * devicePixelRatio);
  plot.ctx.fillRect(left, plot.bbox.top, width, plot.bbox.height);
}

function degreesOnAxis(value) {
  return String(Math.round(value * 10) / 10).replace("-", "\u2212");
}

function inZone(seconds, zone) {
  try {
    return uPlot.tzDate(new Date(seconds * 1000), zone);
  } catch {
    return uPlot.tzDate(new Date(seconds * 1000), "UTC");
  }
}

function readColors(host) {
  const style = getComputedStyle(host);
  const color = (name) => style.getPropertyValue(name).trim();
  return {
    text: color("--text-quiet"),
    grid: color("--chart-grid"),
    line: color("--chart-line"),
    band: color("--chart-band"),
    bandEdge: color("--chart-band-edge"),
    shade: color("--chart-shade"),
    openShade: color("--chart-shade-open"),
    hatch: color("--chart-hatch"),
    maintenance: color("--chart-maintenance"),
    limit: color("--chart-limit"),
    surface: color("--surface"),
    font: `12px ${style.fontFamily}`,
    canvasFont: `600 ${11 * devicePixelRatio}px ${style.fontFamily}`,
  };
}

/** A function that gives the diagonal hatch that stands for "unknown" all over the page. */
function hatchPattern(color) {
  const size = Math.round(8 * devicePixelRatio);
  const tile = element("canvas");
  tile.width = size;
  tile.height = size;
  const ctx = tile.getContext("2d");
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.beginPath();
  for (const shift of [-size, 0, size]) {
    ctx.moveTo(shift, size);
    ctx.lineTo(shift + size, 0);
  }
  ctx.stroke();
  return (target) => target.createPattern(tile, "repeat");
}
