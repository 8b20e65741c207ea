// The states of a unit as the page shows them. A value too old to be known is never shown as in range.

/** From worst to best, as schemas/events.py ranks them. */
export const STATES = ["excursion", "offline", "unknown", "breaching", "recovering", "in_range"];

export const STATE_WORDS = {
  excursion: "Excursion",
  offline: "Offline",
  unknown: "Unknown",
  breaching: "Breaching",
  recovering: "Recovering",
  in_range: "In range",
};

/** Position in STATES: 0 is worst. A state this page does not know counts as unknown. */
export function rank(state) {
  const found = STATES.indexOf(state);
  return found < 0 ? STATES.indexOf("unknown") : found;
}

/** Time a fresh value needs to reach the page (grace of the partition's clock, flows, network), before its age is held against it. */
export const DELIVERY_ALLOWANCE_MS = 6_000;

/** Whether the value of a reading is still known at `now`. Without a max gap only the server can tell, so it counts as known. */
export function isKnown(sensor, now) {
  if (!sensor || sensor.temperature === null) return false;
  return sensor.maxGapMs === null || now < sensor.measuredAt + sensor.maxGapMs + DELIVERY_ALLOWANCE_MS;
}

/** The state to show for a sensor: what the server said, unless its value has run out meanwhile. */
export function shownState(sensor, now) {
  const state = STATE_WORDS[sensor.state] ? sensor.state : "unknown";
  if (rank(state) <= rank("unknown")) return state;
  return isKnown(sensor, now) ? state : "unknown";
}
