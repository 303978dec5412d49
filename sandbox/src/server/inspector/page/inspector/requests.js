// The list of requests: what came, what was made of it, newest first.

import { byId, el, timeOf } from "./dom.js";
import { operationWord, ruleWord, said, t } from "./words.js";

const ROWS_MAX = 500;

// Oldest first; the page shows the reverse.
let lines = [];
let arrived = [];
let paused = false;
let selected = null;
let drawing = false;
let unannounced = 0;
let onOpen = () => {};

// What asks for a fault that there is not is refused by the simulator, with a fault's rule and no fault.
export const refused = (line) => line.rule !== "ok" && !(line.rule === "fault" && line.fault);

export function resultBadge(line) {
  if (line.rule === "fault" && line.fault) return el("span", { class: "badge amber" }, t("kept_away"));
  const text = line.rule === "ok" ? `${line.code} ok` : `${line.code} ${line.rule}`;
  return el("span", { class: `badge ${refused(line) ? "red" : "green"}` }, text);
}

export function effectBadge(effect) {
  if (effect > 0) return el("span", { class: "badge blue" }, `+1 ${t("taken")}`);
  if (effect < 0) return el("span", { class: "badge violet" }, `−1 ${t("given_back")}`);
  return null;
}

function row(line) {
  const head = el("span", { class: "head" },
    el("b", {}, operationWord(line.operation) ?? (line.path || line.method)),
    el("code", {}, line.biz_id ?? ""),
  );
  const marks = el("span", { class: "marks" },
    line.fault && el("span", { class: "badge amber" }, `~${line.fault.fault}`),
    effectBadge(line.effect),
    line.rule === "fault" && line.fault ? null : resultBadge(line),
  );
  const foot = el("span", { class: "foot" },
    el("time", {}, timeOf(line.at_unix_ms)),
    el("span", {}, line.rule === "ok" ? said(line, "explanation") : `${ruleWord(line.rule)}: ${said(line, "explanation")}`),
  );
  const button = el("button", { type: "button", class: refused(line) ? "bad" : line.fault ? "odd" : "good" }, head, marks, foot);
  button.dataset.id = line.id;
  if (line.id === selected) button.setAttribute("aria-current", "true");
  return el("li", {}, button);
}

function searched(line) {
  line.text ??= [
    line.biz_id, line.operation, operationWord(line.operation), line.path, line.rule, line.code, line.explanation, line.explanation_zh,
    line.fault?.fault, line.signed_text, JSON.stringify(line.params),
  ].join("\n").toLowerCase();
  return line.text;
}

function wanted(line) {
  const kind = byId("kind").value;
  if (kind === "refused" && !refused(line)) return false;
  if (kind === "fault" && !line.fault) return false;
  if (kind === "effect" && line.effect === 0) return false;
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => searched(line).includes(word));
}

// A line came. It is drawn with the others of this frame.
export function add(line) {
  arrived.push(line);
  if (arrived.length > ROWS_MAX) arrived.shift();
  if (paused) sayPause();
  else if (!drawing) {
    drawing = true;
    requestAnimationFrame(draw);
  }
}

function draw() {
  drawing = false;
  if (paused) return;
  const list = byId("list");
  const fresh = arrived;
  arrived = [];
  lines = lines.concat(fresh).slice(-ROWS_MAX);
  list.prepend(...fresh.filter(wanted).map(row).reverse());
  while (list.childElementCount > ROWS_MAX) list.lastElementChild.remove();
  sayNothing();
  unannounced += fresh.length;
}

// Everything again: after another filter or language.
export function redraw() {
  byId("list").replaceChildren(...lines.filter(wanted).map(row).reverse());
  sayNothing();
  sayPause();
}

// Another log has begun.
export function clear() {
  lines = [];
  arrived = [];
  redraw();
}

function sayNothing() {
  byId("nothing").hidden = byId("list").childElementCount > 0;
  byId("nothing").textContent = lines.length ? t("nothing_fits") : t("nothing_yet");
}

function sayPause() {
  byId("pause").textContent = paused ? `${t("resume")}${arrived.length ? ` (${arrived.length})` : ""}` : t("pause");
  byId("pause").setAttribute("aria-pressed", String(paused));
}

// For a screen reader: not every line, but now and then how many there were and the last one.
function sayAloud() {
  const last = lines.at(-1);
  if (!unannounced || !last) return;
  byId("announcement").textContent = `${unannounced} ${t("new_requests")} ${operationWord(last.operation) ?? (last.path || last.method)} ${last.biz_id ?? ""} ${ruleWord(last.rule)}`;
  unannounced = 0;
}

function choose(id) {
  byId("list").querySelector("[aria-current]")?.removeAttribute("aria-current");
  byId("list").querySelector(`[data-id="${id}"]`)?.setAttribute("aria-current", "true");
  selected = id;
  const line = lines.find((line) => line.id === id);
  if (line) onOpen(line);
}

function onKey(event) {
  const at = event.target.closest("li");
  const to = { ArrowDown: at?.nextElementSibling, ArrowUp: at?.previousElementSibling }[event.key];
  if (!to) return;
  event.preventDefault();
  to.firstElementChild.focus();
  // On a phone the list would be left by opening one.
  if (matchMedia("(min-width: 801px)").matches) choose(to.firstElementChild.dataset.id);
}

// `open` is told which line somebody wants to see.
export function start(open) {
  onOpen = open;
  byId("list").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(button.dataset.id);
  });
  byId("list").addEventListener("keydown", onKey);
  byId("filter").addEventListener("input", redraw);
  byId("kind").addEventListener("change", redraw);
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    sayPause();
    if (!paused) draw();
  });
  setInterval(sayAloud, 4000);
  redraw();
}
