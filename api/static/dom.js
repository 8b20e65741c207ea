// Small hands for the document: look up, copy templates, and touch a node only when what it says has changed.

export function byId(id) {
  return document.getElementById(id);
}

/** A copy of a template's only element, and its named parts. */
export function copyTemplate(id) {
  const root = byId(id).content.firstElementChild.cloneNode(true);
  return { root, parts: namedParts(root) };
}

export function namedParts(root) {
  const parts = {};
  for (const node of root.querySelectorAll("[data-part]")) parts[node.dataset.part] = node;
  return parts;
}

const written = new WeakMap();

/** Set the text of a node that nothing else writes to; costs a comparison when it is the same. */
export function setText(node, text) {
  if (written.get(node) === text) return;
  written.set(node, text);
  const first = node.firstChild;
  if (first !== null && first.nodeType === Node.TEXT_NODE && first.nextSibling === null) first.data = text;
  else node.textContent = text;
}

export function setData(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}

export function setHidden(node, isHidden) {
  if (node.hidden !== isHidden) node.hidden = isHidden;
}

export function setIcon(use, name) {
  const target = `#icon-${name}`;
  if (use.getAttribute("href") !== target) use.setAttribute("href", target);
}

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** An element; attributes that are null, undefined or false are left out, `on...` are listeners; children may be nested lists. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Replace children only when the list of texts differs: [[icon, text], ...]. */
export function setFacts(node, facts) {
  const key = facts.map((fact) => fact.join("=")).join(";");
  if (written.get(node) === key) return;
  written.set(node, key);
  node.replaceChildren(
    ...facts.map(([name, text, label]) => {
      const fact = element(node.tagName === "UL" ? "li" : "span", "fact");
      fact.append(icon(name), element("span", "hidden", `${label} `), document.createTextNode(text));
      fact.dataset.fact = name;
      return fact;
    }),
  );
}
