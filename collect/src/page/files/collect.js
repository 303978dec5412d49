// The page's beginning: what is chosen, the token, the language, and the closing of the day.

import { agesChart, hoursChart } from "./charts.js";
import { byId, el, showFigures, showLists, showVerdict } from "./tables.js";
import { otherLanguage, said, setLanguage, t, translate } from "./words.js";

const EVERY_MS = 15000;
const TOKEN = "zvpos-collect-token";

let shown = null;
let asked = 0;

// Kept until the tab is closed.
const token = () => sessionStorage.getItem(TOKEN);

function say(state) {
  byId("link").dataset.state = state;
  byId("link-words").textContent = t(`link_${state}`);
}

function trouble(text) {
  byId("trouble").textContent = text ?? "";
  byId("trouble").hidden = !text;
}

async function ask(method, path, body) {
  if (!token()) {
    if (!byId("token-dialog").open) byId("token-dialog").showModal();
    throw new Error("");
  }
  const headers = { Authorization: `Bearer ${token()}` };
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const value = await answer.json();
  if (answer.status === 401) {
    if (!byId("token-dialog").open) byId("token-dialog").showModal();
    throw new Error(said({ en: value.error, zh: value.error_zh }));
  }
  if (!answer.ok) throw new Error(said({ en: value.error, zh: value.error_zh }));
  return value;
}

// What was asked for last is what is shown, though an earlier answer comes later.
async function refresh() {
  const own = (asked += 1);
  try {
    if (!byId("day").value) {
      const { chains, today } = await ask("GET", "/v1/chains");
      byId("chain").replaceChildren(...chains.map((chain) => el("option", { value: chain }, chain)));
      byId("day").value = today;
    }
    const query = new URLSearchParams({ chain: byId("chain").value, day: byId("day").value });
    const value = await ask("GET", `/v1/day?${query}`);
    if (own !== asked) return;
    shown = value;
    draw();
    say("live");
    trouble(null);
  } catch (error) {
    if (own !== asked) return;
    say("connecting");
    trouble(error.message);
  }
}

function draw() {
  if (!shown) return;
  const { report, hours } = shown;
  showVerdict(report);
  showFigures(report);
  byId("hours").replaceChildren(hoursChart(hours));
  byId("ages").replaceChildren(agesChart(report.ages));
  showLists(report);
  byId("content").hidden = false;
  byId("close").disabled = false;
}

function startLanguage() {
  const redraw = () => {
    translate();
    byId("language").textContent = otherLanguage().word;
    byId("language").lang = otherLanguage().tag;
    say(byId("link").dataset.state);
    draw();
  };
  byId("language").addEventListener("click", () => {
    setLanguage(otherLanguage().name);
    redraw();
  });
  redraw();
}

function startToken() {
  byId("token-form").addEventListener("submit", () => {
    sessionStorage.setItem(TOKEN, byId("token").value.trim());
    byId("token").value = "";
    trouble(null);
    refresh();
  });
}

function startClosing() {
  const dialog = byId("close-dialog");
  byId("close").addEventListener("click", () => {
    const { report } = shown;
    byId("close-title").textContent = t("close_question") + report.day;
    byId("accept").checked = false;
    byId("accept-line").hidden = report.clean;
    byId("accept-words").textContent = t("accept") + report.reasons.map(said).join(t("comma"));
    dialog.showModal();
  });
  byId("close-no").addEventListener("click", () => dialog.close());
  byId("close-yes").addEventListener("click", async () => {
    const { report } = shown;
    const order = { chain: report.chain, day: report.day, by: byId("close-by").value, accept: byId("accept").checked ? report.mark : null };
    try {
      await ask("POST", "/v1/close", order);
      dialog.close();
      await refresh();
    } catch (error) {
      dialog.close();
      trouble(error.message);
    }
  });
}

startLanguage();
startToken();
startClosing();
byId("choice").addEventListener("submit", (event) => event.preventDefault());
byId("choice").addEventListener("change", () => byId("day").value && refresh());
refresh();
setInterval(() => {
  if (!document.hidden && !document.querySelector("dialog[open]")) refresh();
}, EVERY_MS);
