// One request, opened: what was signed, what was asked, what was decided and why, what it did to the ledger.

import { ask, byId, dayAndTimeOf, el, jsonView, timeOf } from "./dom.js";
import { effectBadge, refused, resultBadge } from "./requests.js";
import { faultRow } from "./switches.js";
import { entryRow, netBadge } from "./state.js";
import { language, operationWord, ruleWord, said, t } from "./words.js";

let shown = null;

function part(title, ...content) {
  return el("section", { class: "part" }, el("h3", {}, ...[title].flat()), ...content);
}

function copyButton(text) {
  // Only a secure context has a clipboard: this machine, not another one by plain http.
  if (!navigator.clipboard) return null;
  const button = el("button", { type: "button", class: "small" }, t("copy"));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
  });
  return button;
}

function verdict(line) {
  const kind = refused(line) ? "red" : line.rule === "ok" ? "green" : "amber";
  return el("div", { class: `verdict ${kind}`, id: "verdict" },
    el("b", {}, ruleWord(line.rule)), " ", el("code", { id: "rule" }, line.rule),
    el("p", {}, said(line, "explanation")),
  );
}

function fault(line) {
  if (!line.fault) return null;
  const known = faultRow(line.fault.fault);
  const number = known?.param ? `:${line.fault.number}` : "";
  return part(t("fault_played"), el("div", { class: "verdict amber", id: "fault-played" },
    el("code", {}, `~${line.fault.fault}${number}`),
    known && el("p", {}, known[language()]),
    known && el("p", { class: "muted" }, `${t("till_sees")} ${said(known, "till_sees")}`),
  ));
}

function signed(line) {
  if (!line.signed_text) return part(t("signed_text"), el("p", { class: "muted" }, t("no_signed_text")));
  const text = el("pre", { id: "signed-text", class: "wrap" }, line.signed_text);
  return part([t("signed_text"), copyButton(line.signed_text)], text);
}

function answer(line) {
  if (line.answer === null) return part(t("answer"), el("p", { class: "muted" }, t("no_answer")));
  const view = jsonView(line.answer);
  view.id = "answer";
  return part(t("answer"), line.fault && el("p", { class: "muted" }, t("answer_before_fault")), view);
}

function params(line) {
  if (line.params === null) return part(t("params"), el("p", { class: "muted" }, t("no_params")));
  const view = jsonView(line.params);
  view.id = "params";
  return part(t("params"), view);
}

// What stands in the ledger for this bizId, now and not when the request came.
async function ledgerOf(line) {
  const place = byId("detail-ledger");
  if (!place || !line.biz_id) return;
  const ledger = await ask("GET", `/ledger?bizId=${encodeURIComponent(line.biz_id)}`);
  if (shown?.id !== line.id) return;
  place.replaceChildren(
    el("p", {}, `${t("net_now")} `, netBadge(ledger.net)),
    ledger.entries.length
      ? el("ul", { class: "entries" }, ledger.entries.map(entryRow))
      : el("p", { class: "muted" }, t("no_entries")),
  );
}

export function show(line) {
  shown = line;
  const panel = byId("detail");
  if (!line) {
    panel.replaceChildren(el("p", { class: "empty" }, t("open_one")));
    return;
  }
  panel.replaceChildren(
    el("header", { class: "title" },
      el("h2", {}, operationWord(line.operation) ?? (line.path || line.method)),
      el("code", { id: "detail-biz-id" }, line.biz_id ?? ""),
      el("p", { class: "muted" }, `#${line.number} · ${dayAndTimeOf(line.at_unix_ms).slice(0, 10)} ${timeOf(line.at_unix_ms)} · ${line.method} ${line.path}`),
      el("p", { class: "marks" }, resultBadge(line), effectBadge(line.effect)),
    ),
    verdict(line),
    fault(line) ?? "",
    part(t("effect"),
      el("p", { id: "effect" }, t(line.effect > 0 ? "effect_taken" : line.effect < 0 ? "effect_back" : "effect_none")),
      el("div", { id: "detail-ledger" }),
    ),
    signed(line),
    params(line),
    answer(line),
  );
  ledgerOf(line).catch(() => {});
}

// A request came that may have changed what the ledger says of the one that is open.
export function heard(line) {
  if (shown && line.effect !== 0 && line.biz_id === shown.biz_id) ledgerOf(shown).catch(() => {});
}

export const redraw = () => show(shown);

// The table of faults may come after the request that is open; then its words are missing.
export function explain() {
  if (shown?.fault && !byId("fault-played")?.querySelector("p")) redraw();
}
