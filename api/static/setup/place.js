// Where in the set-up page somebody is: the address after `#`, such as `#part=sensors&id=5`. Holds no state of its own.

/** The address' fields; `part` is always there. */
export function readPlace() {
  const place = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return { ...place, part: place.part ?? "sensors" };
}

/** The link to a place; fields that are null or undefined are left out. */
export function to(part, fields = {}) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return `#${new URLSearchParams([["part", part], ...given])}`;
}
