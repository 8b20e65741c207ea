// Who is signed in, as far as this page holds it: a token in sessionStorage, taken from the address once. Knows nothing of the API.

const TOKEN = "coldstream.token";
const DEGREES = "coldstream.degrees";
const ORDER = "coldstream.order";

/** Move `#access_token=...` out of the address, so that it is in no history, bookmark or picture of the screen. */
function takeTokenFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("access_token");
  if (!token) return;
  sessionStorage.setItem(TOKEN, token);
  for (const name of ["access_token", "token_type", "expires_in", "refresh_token", "state"]) fragment.delete(name);
  const rest = fragment.toString();
  history.replaceState(null, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
}

/** Take the token of the address now and whenever the address changes: another one than before loads the page again, any other move is told to `onMove`. */
export function followAddress(onMove) {
  takeTokenFromAddress();
  addEventListener("hashchange", () => {
    // Coming back from the sign-in page may change nothing but the fragment.
    const had = currentToken();
    takeTokenFromAddress();
    if (currentToken() !== had) location.reload();
    else onMove();
  });
}

export function currentToken() {
  return sessionStorage.getItem(TOKEN);
}

export function forgetToken() {
  sessionStorage.removeItem(TOKEN);
}

/** "celsius" or "fahrenheit". */
export function rememberedDegrees() {
  return localStorage.getItem(DEGREES) === "fahrenheit" ? "fahrenheit" : "celsius";
}

export function rememberDegrees(degrees) {
  localStorage.setItem(DEGREES, degrees);
}

/** "name" or "worst". */
export function rememberedOrder() {
  return localStorage.getItem(ORDER) === "worst" ? "worst" : "name";
}

export function rememberOrder(order) {
  localStorage.setItem(ORDER, order);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What the address names: a unit, an excursion of it, and the instant (ms) as of which it is shown; null for each that it does not name. */
export function placeInAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const unit = Number(fragment.get("unit"));
  const excursion = fragment.get("excursion") ?? "";
  const knownAt = Date.parse(fragment.get("known_at") ?? "");
  return {
    unit: Number.isInteger(unit) && unit > 0 ? unit : null,
    excursion: UUID.test(excursion) ? excursion : null,
    knownAt: Number.isNaN(knownAt) ? null : knownAt,
  };
}

export function addressOfUnit(unit, { excursion = null, knownAt = null } = {}) {
  const parts = [`unit=${unit}`];
  if (excursion !== null) parts.push(`excursion=${excursion}`);
  if (knownAt !== null) parts.push(`known_at=${new Date(knownAt).toISOString()}`);
  return `#${parts.join("&")}`;
}
