// What stands in place of the fleet while nobody is signed in: why, and the way to sign in.

import { byId, setHidden, setText } from "./dom.js";
import { fetchSignIn } from "./rest.js";

const RETRY_MS = 5_000;

const WORDS = {
  new: ["Sign in to see your units", "Coldstream shows the temperatures of your refrigerators, freezers and cold rooms as they are measured."],
  ended: ["Your session has ended", "Sign in again to go on watching. Your units are watched all the same while nobody is signed in."],
  out: ["You are signed out", "Your units are watched all the same while nobody is signed in."],
};
const NO_LINK = "Open Coldstream from your organization's sign-in page: it brings you back here signed in.";

/** @param {"new"|"ended"|"out"} why */
export function openDoorway(why) {
  const [title, text] = WORDS[why];
  document.body.dataset.view = "doorway";
  document.title = "Coldstream";
  setHidden(byId("doorway"), false);
  setText(byId("doorway-title"), title);
  setText(byId("doorway-text"), text);
  byId("doorway-title").focus();
  showLink(text);
}

async function showLink(text) {
  try {
    const address = await fetchSignIn();
    setText(byId("doorway-text"), address ? text : `${text} ${NO_LINK}`);
    if (!address) return;
    const target = new URL(address);
    target.searchParams.set("return_to", location.origin + location.pathname);
    byId("doorway-link").href = target.href;
    setHidden(byId("doorway-link"), false);
  } catch (error) {
    setText(byId("doorway-text"), error.message);
    setTimeout(() => showLink(text), RETRY_MS);
  }
}
