// The WebSocket side of docs/api.md: connect, authenticate, subscribe to sites, and come back after every loss. Keeps no facts.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const BUSY_RETRY_MS = 10_000;
/** The server pings every 20 s, but a browser does not show pings to a page; frames or a cheap question tell that the line is alive. */
const QUIET_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 10_000;

const TOKEN_REFUSED = 4401;
const TOO_MANY_CLIENTS = 1013;

export class Live {
  /**
   * @param {{token: () => string|null, sites: () => number[]|null, onStatus: (status: string) => void, onReady: () => void,
   *   onEvent: (event: object) => void, onResync: () => void, onSignedOut: () => void}} hooks
   * `sites` is null until they are known. `onReady` is called once all sites of a connection are subscribed: what is fetched after it misses nothing.
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.attempts = 0;
    this.stopped = true;
    this.socket = null;
  }

  start() {
    this.stopped = false;
    this.connect();
    addEventListener("online", this.reconnectSoon);
    document.addEventListener("visibilitychange", this.reconnectSoon);
    this.watch = setInterval(() => this.checkLine(), 5_000);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.retry);
    clearInterval(this.watch);
    removeEventListener("online", this.reconnectSoon);
    document.removeEventListener("visibilitychange", this.reconnectSoon);
    this.socket?.close();
    this.socket = null;
  }

  /** Subscribe to sites that have become known since. */
  subscribeSites() {
    if (!this.authenticated || this.hooks.sites() === null) return;
    for (const site of this.hooks.sites()) {
      if (this.asked.has(site)) continue;
      this.asked.add(site);
      this.pending.add(site);
      this.send({ type: "subscribe:site", site });
    }
    this.tellWhenReady();
  }

  connect() {
    clearTimeout(this.retry);
    this.retry = null;
    this.authenticated = false;
    this.ready = false;
    this.isLimited = false;
    this.asked = new Set();
    this.pending = new Set();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws`);
    this.socket = socket;
    this.heardAt = performance.now();
    this.hooks.onStatus(this.attempts === 0 ? "connecting" : "reconnecting");
    socket.onopen = () => this.send({ type: "authenticate", token: this.hooks.token() });
    socket.onmessage = (message) => this.socket === socket && this.take(message.data);
    socket.onclose = (close) => this.socket === socket && this.lost(close.code);
  }

  take(text) {
    this.heardAt = performance.now();
    const frame = JSON.parse(text);
    if (frame.event) {
      this.hooks.onEvent(frame);
      return;
    }
    switch (frame.type) {
      case "authenticated":
        this.authenticated = true;
        this.subscribeSites();
        break;
      case "subscribed":
        this.pending.delete(frame.site);
        this.tellWhenReady();
        break;
      case "resync":
        this.hooks.onResync();
        break;
      case "error":
        this.takeError(frame);
        break;
      default:
        // Frames this page has no use for, such as `unsubscribed`.
        break;
    }
  }

  takeError(frame) {
    if (frame.site === undefined) return;
    this.pending.delete(frame.site);
    if (frame.code === "unavailable") {
      this.asked.delete(frame.site);
      setTimeout(() => this.subscribeSites(), BUSY_RETRY_MS);
    }
    this.isLimited = true;
    this.tellWhenReady();
  }

  tellWhenReady() {
    if (this.ready || !this.authenticated || this.pending.size > 0 || this.hooks.sites() === null) return;
    this.ready = true;
    this.attempts = 0;
    this.hooks.onStatus(this.isLimited ? "limited" : "live");
    this.hooks.onReady();
  }

  lost(code) {
    this.socket = null;
    this.authenticated = false;
    if (this.stopped) return;
    if (code === TOKEN_REFUSED) {
      this.stop();
      this.hooks.onSignedOut();
      return;
    }
    this.hooks.onStatus("reconnecting");
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts);
    this.attempts += 1;
    // A spread in time, so that thousands of pages do not all come back in the same second.
    const spread = (0.5 + Math.random()) * (code === TOO_MANY_CLIENTS ? Math.max(wait, BUSY_RETRY_MS) : wait);
    this.retry = setTimeout(() => this.connect(), spread);
  }

  reconnectSoon = () => {
    if (this.stopped || this.socket || document.visibilityState === "hidden") return;
    this.attempts = Math.min(this.attempts, 1);
    this.connect();
  };

  checkLine() {
    if (!this.socket) return;
    const quiet = performance.now() - this.heardAt;
    if (quiet > QUIET_LIMIT_MS + ANSWER_LIMIT_MS) {
      const dead = this.socket;
      this.socket = null;
      dead.close();
      this.lost(0);
    } else if (quiet > QUIET_LIMIT_MS && this.authenticated) {
      const [site] = this.asked;
      // Asking again for a site we have is answered at once and changes nothing.
      if (site !== undefined) this.send({ type: "subscribe:site", site });
    }
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }
}
