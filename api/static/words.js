// Numbers, times and spans of time as words. Pure: what they say depends on their arguments only.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MINUS = "\u2212";
const NARROW = "\u202f";

/** Degrees Celsius as a number in the unit shown. */
export function inDegrees(celsius, degrees) {
  return degrees === "fahrenheit" ? (celsius * 9) / 5 + 32 : celsius;
}

/** "4.1 °C", "−15.0 °F", or "–" where there is no value. */
export function temperatureWords(celsius, degrees) {
  const number = bareTemperature(celsius, degrees);
  return celsius === null || celsius === undefined ? number : `${number}${NARROW}${degreesSign(degrees)}`;
}

/** "7.25 °C", "8 °C": a limit with as many decimals as it has, two at most. */
export function exactTemperature(celsius, degrees) {
  const number = Number(inDegrees(celsius, degrees).toFixed(2));
  return `${String(number).replace("-", MINUS)}${NARROW}${degreesSign(degrees)}`;
}

/** The number of temperatureWords alone. */
export function bareTemperature(celsius, degrees) {
  if (celsius === null || celsius === undefined) return "–";
  const text = inDegrees(celsius, degrees).toFixed(1);
  return text === "-0.0" ? "0.0" : text.replace("-", MINUS);
}

export function degreesSign(degrees) {
  return degrees === "fahrenheit" ? "°F" : "°C";
}

/** "52 min old", for a value that is not known any more. */
export function oldWords(milliseconds) {
  return ageWords(milliseconds).replace(/ ago$/, " old");
}

/** "12 s ago"; a time ahead of us counts as now. */
export function ageWords(milliseconds) {
  if (milliseconds < 1_500) return "now";
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / 1000)} s ago`;
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min ago`;
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h ago`;
  return `${Math.floor(milliseconds / DAY)} d ago`;
}

/** "45 s", "12 min 05 s", "3 h 07 min", "2 d 4 h". */
export function durationWords(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const formatters = new Map();

function formatter(zone, kind) {
  const key = `${kind}/${zone}`;
  if (!formatters.has(key)) formatters.set(key, newFormatter(zone, kind));
  return formatters.get(key);
}

const KINDS = {
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short" },
  date: { year: "numeric", month: "2-digit", day: "2-digit" },
  zone: { timeZoneName: "short" },
};

function newFormatter(zone, kind) {
  const options = { ...KINDS[kind], timeZone: zone };
  try {
    return new Intl.DateTimeFormat("en-GB", options);
  } catch {
    // A zone this browser does not know: UTC is at least true.
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  }
}

/** "14:02" in a time zone. */
export function clockWords(at, zone) {
  return formatter(zone, "clock").format(at);
}

/** "14:02:31" in a time zone. */
export function secondsWords(at, zone) {
  return formatter(zone, "seconds").format(at);
}

/** "25 Nov" in a time zone. */
export function dayWords(at, zone) {
  return formatter(zone, "day").format(at);
}

/** "14:02", with the day before it unless that is today in the zone. */
export function momentWords(at, now, zone) {
  const date = formatter(zone, "date");
  const clock = clockWords(at, zone);
  return date.format(at) === date.format(now) ? clock : `${dayWords(at, zone)}, ${clock}`;
}

/** "GMT+1" or the like: the zone's short name at an instant. */
export function zoneWords(at, zone) {
  const parts = formatter(zone, "zone").formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? zone;
}

/** "above 8.0 °C" for a band's side and limit. */
export function limitWords(side, limit, degrees) {
  if (limit === null || limit === undefined) return "";
  return `${side === "low" ? "below" : "above"} ${temperatureWords(limit, degrees)}`;
}

export function counted(count, one, many) {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
}
