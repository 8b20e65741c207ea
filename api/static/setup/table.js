// Lists: a table on a wide screen, cards on a phone, the same nodes. Long ones are searched by typing and shown in pieces.

import { make } from "./build.js";
import { counted } from "../words.js";

const PIECE = 100;
const SEARCH_FROM = 8;

/**
 * @param {{label: string, columns: {title: string, cell: (item: any) => any, isNumber?: boolean}[], items: any[], empty: any, words?: (item: any) => string, many?: string, filters?: Node[]}} about
 *   words: what is searched; many: what the items are, such as "sensors"
 */
export function table(about) {
  const { items, words } = about;
  if (items.length === 0) return make("p", { class: "nothing" }, about.empty);
  const body = make("tbody", { role: "rowgroup" });
  const found = make("p", { class: "quiet found", role: "status" });
  const more = make("button", { type: "button", class: "second", hidden: true });
  let shown = PIECE;
  let typed = "";
  const draw = () => {
    const parts = typed.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = parts.length === 0 ? items : items.filter((item) => parts.every((part) => words(item).toLowerCase().includes(part)));
    body.replaceChildren(...matching.slice(0, shown).map((item) => row(about.columns, item)));
    found.textContent = typed ? `${counted(matching.length, "match", "matches")} of ${items.length.toLocaleString("en-GB")}` : "";
    more.hidden = matching.length <= shown;
    more.textContent = `Show more of ${counted(matching.length, "row", "rows")}`;
  };
  more.addEventListener("click", () => {
    shown += PIECE;
    draw();
  });
  const search = make("input", { type: "search", "aria-label": `Search ${about.many ?? ""}`, placeholder: `Search ${about.many ?? ""}`, autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => {
    typed = search.value.trim();
    shown = PIECE;
    draw();
  });
  draw();
  const heading = make("tr", { role: "row" }, about.columns.map((column) => make("th", { role: "columnheader", scope: "col", class: column.isNumber && "number" }, column.title)));
  return make(
    "div",
    { class: "listing" },
    words && items.length >= SEARCH_FROM && make("div", { class: "listing-find" }, search, found),
    make("div", { class: "table-frame" }, make("table", { role: "table", "aria-label": about.label }, make("thead", { role: "rowgroup" }, heading), body)),
    more,
  );
}

function row(columns, item) {
  return make(
    "tr",
    { role: "row", "data-archived": item.archived_at ? "yes" : null },
    columns.map((column) => make("td", { role: "cell", "data-title": column.title, class: column.isNumber && "number" }, column.cell(item) ?? "–")),
  );
}

/** The switch of a list between what is in use and everything. */
export function archivedSwitch(place, to) {
  const isOn = place.archived === "true";
  return make("a", { class: "plain", href: to({ archived: isOn ? null : "true" }) }, isOn ? "Hide archived" : "Show archived");
}
