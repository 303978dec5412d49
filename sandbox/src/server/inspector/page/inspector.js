// The page's beginning: the panels, the language, and the line to the server that everything else hangs on.

import { byId, exact, order, paced } from "./inspector/dom.js";
import * as detail from "./inspector/detail.js";
import * as requests from "./inspector/requests.js";
import { showCounters, showLedger, showMembers } from "./inspector/state.js";
import { showClock, showFaults, showPolicy } from "./inspector/switches.js";
import { otherLanguage, setLanguage, t, translate } from "./inspector/words.js";

async function showAllOfFaults() {
  await showFaults();
  detail.explain();
}

const PANELS = { members: showMembers, ledger: showLedger, faults: showAllOfFaults, clock: showClock, policy: showPolicy };
const WIDE = matchMedia("(min-width: 801px)");

let panel = "requests";

// What a panel shows is asked for when it is seen, not before.
const refreshPanel = paced(250, async () => PANELS[panel]?.());
const refreshCounters = paced(500, showCounters);
const refreshFaults = paced(250, showAllOfFaults);
const refreshAll = paced(100, async () => {
  await Promise.all([showCounters(), showAllOfFaults(), showClock(), PANELS[panel]?.()]);
});

function open(name) {
  panel = name;
  document.body.dataset.panel = name;
  // Beside the list there is always something: the request that is open.
  const beside = name === "requests" ? "detail" : name;
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.dataset.panel === (WIDE.matches ? beside : name);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== beside;
  refreshPanel();
}

function startTabs() {
  const tabs = document.querySelector("[role=tablist]");
  tabs.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) open(tab.dataset.panel);
  });
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...tabs.children].filter((tab) => tab.offsetParent !== null);
    const next = all.at((all.indexOf(event.target) + step) % all.length);
    next.focus();
    open(next.dataset.panel);
  });
  WIDE.addEventListener("change", () => open(panel));
}

function say(state) {
  byId("link").dataset.state = state;
  byId("link-words").textContent = t(`link_${state}`);
}

function onLine(event) {
  const line = { ...exact(event.data), id: event.lastEventId };
  requests.add(line);
  detail.heard(line);
  refreshCounters();
  if (line.fault) refreshFaults();
  if (line.effect !== 0 && (panel === "members" || panel === "ledger")) refreshPanel();
}

// The browser comes back by itself after a break, and says what it heard last. Where it gives up, as when the server
// has no seat left, this page asks again.
function follow() {
  const events = new EventSource("/events");
  events.onopen = () => say("live");
  events.onmessage = onLine;
  events.addEventListener("run", () => {
    requests.clear();
    detail.show(null);
    byId("skipped").hidden = true;
    refreshAll();
  });
  events.addEventListener("changed", refreshAll);
  events.addEventListener("skipped", (event) => {
    byId("skipped").textContent = `${event.data} ${t("skipped")}`;
    byId("skipped").hidden = false;
  });
  events.onerror = () => {
    say("connecting");
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 3000);
  };
}

function startLanguage() {
  const redraw = () => {
    translate();
    byId("language").textContent = otherLanguage().word;
    byId("language").lang = otherLanguage().tag;
    say(byId("link").dataset.state);
    requests.redraw();
    detail.redraw();
    // What is not seen is drawn when it is.
    for (const name of Object.keys(PANELS)) if (name !== panel) byId(name).replaceChildren();
    refreshAll();
  };
  byId("language").addEventListener("click", () => {
    setLanguage(otherLanguage().name);
    redraw();
  });
  redraw();
}

function startReset() {
  const dialog = byId("reset-dialog");
  byId("reset").addEventListener("click", () => dialog.showModal());
  byId("reset-no").addEventListener("click", () => dialog.close());
  byId("reset-yes").addEventListener("click", async () => {
    dialog.close();
    await order("POST", "/reset");
  });
}

requests.start((line) => {
  detail.show(line);
  open("detail");
});
detail.show(null);
startTabs();
startLanguage();
startReset();
open("requests");
follow();
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, select")) {
    event.preventDefault();
    open("requests");
    byId("filter").focus();
  }
});
