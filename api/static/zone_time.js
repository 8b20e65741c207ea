// Wall time in a time zone, as <input type="datetime-local"> has it, to an instant and back. Pure.

const formatters = new Map();

/** "2026-11-25T14:02:31" of an instant in a zone. */
export function toWallTime(at, zone) {
  const parts = Object.fromEntries(formatterOf(zone).formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}`;
}

/** The instant (ms) of a wall time in a zone, or null for what is none; of an hour that comes twice the first, of one that is left out the time after. */
export function fromWallTime(text, zone) {
  const asUtc = Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`);
  if (Number.isNaN(asUtc)) return null;
  const candidates = [asUtc - 86_400_000, asUtc + 86_400_000].map((near) => asUtc - offsetAt(near, zone));
  const exact = candidates.filter((at) => at + offsetAt(at, zone) === asUtc);
  return exact.length > 0 ? Math.min(...exact) : Math.max(...candidates);
}

function offsetAt(at, zone) {
  return Date.parse(`${toWallTime(at, zone)}Z`) - Math.floor(at / 1000) * 1000;
}

function formatterOf(zone) {
  if (!formatters.has(zone)) formatters.set(zone, newFormatter(zone));
  return formatters.get(zone);
}

function newFormatter(zone) {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  }
}
