// What can be changed: faults, chaos, the clock, the policy. Each change goes to the admin API at once; what then
// holds is shown by the next refresh, no matter who made the change.

import { ask, busy, byId, dayAndTimeOf, el, order } from "./dom.js";
import { OPERATIONS, POLICY, language, operationWord, said, t } from "./words.js";

let table = [];
// Which refresh of the faults was begun last, and which is shown: an answer that was overtaken must not be.
let begun = 0;
let shown = 0;

export const faultRow = (name) => table.find((row) => row.name === name);

function field(label, control, hint) {
  return el("label", { class: "field" }, el("span", {}, label), control, hint && el("small", { class: "muted" }, hint));
}

// ---- Faults

// What a fault is armed for unless somebody chooses otherwise, by what it can meet.
const OPERATION_OF = { request: "consume", consume: "consume", reverse: "reverse" };

function armForm() {
  const fault = el("select", { id: "fault" }, table.map((row) => el("option", { value: row.name }, `${row.name}: ${row[language()]}`)));
  const operation = el("select", { id: "fault-operation" },
    el("option", { value: "" }, t("any_operation")),
    OPERATIONS.map((name) => el("option", { value: name }, operationWord(name))),
  );
  const times = el("input", { id: "fault-times", type: "number", min: 1, max: 4294967295, step: 1, value: 1, inputmode: "numeric" });
  const number = el("input", { id: "fault-number", type: "number", min: 0, step: 1, inputmode: "numeric" });
  const numberField = field("", number);
  const about = el("div", { class: "verdict amber" });
  const describe = () => {
    const row = faultRow(fault.value);
    about.replaceChildren(
      el("p", {}, row?.[language()] ?? ""),
      el("p", { class: "muted" }, `${t("till_sees")} ${row ? said(row, "till_sees") : ""}`),
    );
    operation.value = OPERATION_OF[row?.meets] ?? "";
    operation.disabled = row?.meets === "handshake";
    numberField.hidden = !row?.param;
    numberField.firstElementChild.textContent = row?.param ? `${row.param.name}: ${said(row.param, "meaning")}` : "";
    number.value = row?.param?.default ?? "";
  };
  fault.addEventListener("change", describe);
  describe();
  const arm = async (event) => {
    event.preventDefault();
    const param = faultRow(fault.value)?.param;
    await order("POST", "/faults", {
      fault: fault.value,
      times: times.value === "" ? null : Number(times.value),
      operation: operation.value || null,
      params: param && number.value !== "" ? { [param.name]: Number(number.value) } : {},
    });
    document.activeElement.blur();
    showFaults();
  };
  return el("form", { class: "card form", onsubmit: arm },
    field(t("fault"), fault), about, field(t("for_operation"), operation),
    field(t("times"), times, t("times_hint")), numberField,
    el("button", { id: "arm", class: "main" }, t("arm")),
  );
}

function armedRow(armed) {
  const numbers = Object.entries(armed.params).map(([name, value]) => `${name} ${value}`).join(", ");
  const times = armed.times === null ? t("until_disarmed") : `${armed.times} ${t("more_times")}`;
  return el("li", {},
    el("code", {}, `~${armed.fault}`),
    el("span", {}, operationWord(armed.operation) ?? t("any_operation")),
    el("span", { class: "muted" }, [times, numbers].filter(Boolean).join(" · ")),
  );
}

function sayArmed(armed) {
  byId("armed-hint").hidden = armed.length === 0;
  byId("armed-hint").textContent = `${t("armed")}: ${armed.map((one) => `~${one.fault}`).join(", ")}`;
}

export async function showFaults() {
  const turn = ++begun;
  const [faults, chaos] = await Promise.all([ask("GET", "/faults"), ask("GET", "/chaos")]);
  if (turn < shown) return;
  shown = turn;
  table = faults.table;
  sayArmed(faults.armed);
  const armed = el("section", { id: "armed", class: "card" },
    el("h3", {}, t("armed")),
    faults.armed.length ? el("ul", { class: "armed" }, faults.armed.map(armedRow)) : el("p", { class: "muted" }, t("none_armed")),
    el("button", { type: "button", id: "disarm", disabled: faults.armed.length === 0, onclick: async () => {
      await order("DELETE", "/faults");
      showFaults();
    } }, t("disarm")),
  );
  const panel = byId("faults");
  if (busy(panel)) {
    if (!panel.matches(":active")) byId("armed")?.replaceWith(armed);
    return;
  }
  const chosen = byId("fault")?.value;
  panel.replaceChildren(
    el("h2", {}, t("faults")), el("p", { class: "muted" }, t("faults_hint")), armed, armForm(), chaosForm(chaos),
  );
  if (chosen) {
    byId("fault").value = chosen;
    byId("fault").dispatchEvent(new Event("change"));
  }
}

// ---- Chaos: faults by chance

function chaosForm(chaos) {
  const rate = (one) => `${one.fault}${faultRow(one.fault)?.param ? `:${one.number}` : ""}=${Number(one.rate)}`;
  const text = chaos.rates.length ? [`seed=${chaos.seed}`, ...chaos.rates.map(rate)].join(",") : "";
  const input = el("input", { id: "chaos", type: "text", value: text, placeholder: "seed=7,reset_after=0.05", spellcheck: "false", autocomplete: "off" });
  return el("form", { class: "card form", onsubmit: async (event) => {
    event.preventDefault();
    await order(input.value.trim() ? "PUT" : "DELETE", "/chaos", { chaos: input.value });
    document.activeElement.blur();
    showFaults();
  } },
    el("h3", {}, t("chaos")), field(t("chaos_hint"), input), el("button", { id: "set-chaos" }, t("set_chaos")),
  );
}

// ---- The clock

const MINUTE = 60_000;
const STEPS = [
  ["minute", MINUTE], ["hour", 60 * MINUTE], ["day", 24 * 60 * MINUTE], ["month", 30 * 24 * 60 * MINUTE],
];
let clock = null;
let ticking = null;

function tick() {
  const place = byId("clock-time");
  if (!place) return;
  const now = clock.now_ms + (clock.frozen ? 0 : performance.now() - clock.heard_at);
  place.textContent = dayAndTimeOf(now);
}

function offsetWords(ms) {
  if (Math.abs(ms) < 1000) return t("clock_true");
  const sign = ms < 0 ? "−" : "+";
  let seconds = Math.round(Math.abs(ms) / 1000);
  const parts = [];
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    if (seconds >= length) parts.push(`${Math.floor(seconds / length)} ${t(`unit_${unit}`)}`);
    seconds %= length;
  }
  return `${sign}${parts.slice(0, 2).join(" ")} ${t("clock_off")}`;
}

function sayClock() {
  const moved = clock.frozen || Math.abs(clock.offset_ms) >= 1000;
  byId("clock-hint").hidden = !moved;
  byId("clock-hint").textContent = `${clock.frozen ? t("clock_stands") : ""} ${offsetWords(clock.offset_ms)}`.trim();
}

async function setClock(change) {
  await order("PUT", "/clock", change);
  document.activeElement.blur();
  showClock();
}

function clockButton(id, word, change, attributes = {}) {
  return el("button", { type: "button", id, ...attributes, onclick: () => setClock(change) }, word);
}

export async function showClock() {
  clock = await ask("GET", "/clock");
  const panel = byId("clock");
  clock.heard_at = performance.now();
  sayClock();
  if (busy(panel)) return;
  const date = el("input", { id: "clock-set", type: "datetime-local", step: 1, value: dayAndTimeOf(clock.now_ms).replace(" ", "T") });
  const setTime = (event) => {
    event.preventDefault();
    const at = new Date(date.value);
    if (!Number.isNaN(at.getTime())) setClock({ set: at.toISOString() });
  };
  panel.replaceChildren(
    el("h2", {}, t("clock")),
    el("div", { class: "card form" },
      el("p", { id: "clock-time" }), el("p", { id: "clock-offset", class: "muted" }, offsetWords(clock.offset_ms)),
      el("div", { class: "actions" }, STEPS.map(([unit, ms]) => clockButton(`advance-${unit}`, t(`advance_${unit}`), { advance_ms: ms }))),
      el("div", { class: "actions" },
        clockButton("freeze", t(clock.frozen ? "unfreeze" : "freeze"), { freeze: !clock.frozen }, { "aria-pressed": String(clock.frozen) }),
        clockButton("clock-true", t("clock_back"), { offset_ms: 0, freeze: false }),
      ),
    ),
    el("form", { class: "card form", onsubmit: setTime }, field(t("set_clock"), date), el("button", {}, t("set"))),
    el("div", { class: "card" }, toggle("till_follows", clock.till_follows, (value) => setClock({ till_follows: value }))),
    el("p", { class: "note" }, t("clock_hint")),
  );
  tick();
  ticking ??= setInterval(tick, 250);
}

// ---- The policy

function toggle(name, value, change) {
  const box = el("input", { type: "checkbox", id: `set-${name}`, checked: value, onchange: () => change(box.checked) });
  return el("label", { class: "check" }, box, el("span", {}, POLICY[name]?.[language()] ?? name), el("code", { class: "muted" }, name));
}

function choice(name, value, options, change) {
  const select = el("select", { id: `set-${name}`, onchange: () => change(select.value) },
    Object.entries(options).map(([option, words]) => el("option", { value: option }, `${words[language()]} (${option})`)),
  );
  // A way that this page has no words for.
  if (!(value in options)) select.append(el("option", { value }, value));
  select.value = value;
  return field(POLICY[name][language()], select, name);
}

function number(name, value, change) {
  const input = el("input", { type: "number", id: `set-${name}`, step: 1, value: value ?? "", placeholder: "null", inputmode: "numeric",
    onchange: () => change(input.value === "" ? null : Number(input.value)) });
  return field(POLICY[name]?.[language()] ?? name, input, name);
}

// A field that this page has no words for is shown by its name.
function policyField(policy, name) {
  const value = policy[name];
  const change = async (to) => {
    await order("PUT", "/policy", { ...policy, [name]: to });
    document.activeElement.blur();
    showPolicy();
  };
  if (typeof value === "boolean") return toggle(name, value, change);
  if (POLICY[name]?.options) return choice(name, value, POLICY[name].options, change);
  return number(name, value, change);
}

export async function showPolicy() {
  const policy = await ask("GET", "/policy");
  if (busy(byId("policy"))) return;
  const fields = (switches) => Object.keys(policy)
    .filter((name) => (typeof policy[name] === "boolean") === switches)
    .map((name) => policyField(policy, name));
  byId("policy").replaceChildren(
    el("h2", {}, t("policy")),
    el("p", { class: "muted" }, t("policy_hint")),
    el("div", { class: "form fields" }, fields(false)),
    el("div", { class: "card" }, fields(true)),
    el("button", { type: "button", id: "policy-default", onclick: async () => {
      await order("PUT", "/policy", {});
      showPolicy();
    } }, t("policy_default")),
  );
}
