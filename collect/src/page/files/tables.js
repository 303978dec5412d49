// The lists of the page. Everything shown comes in as a text node: a bizId is whatever a till sent.

import { said, stageWord, t } from "./words.js";

export const byId = (id) => document.getElementById(id);

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== false) node.setAttribute(key, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// So many rows of a list are shown; the last line says how many more there are.
const ROWS_MAX = 200;

const two = (number) => String(number).padStart(2, "0");

export function moment(unixMs) {
  const date = new Date(unixMs);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return el("time", {}, `${day} ${two(date.getHours())}:${two(date.getMinutes())}`);
}

// 元 as the server writes them, with the sign in front.
const yuan = (text) => (text.startsWith("-") ? `-¥${text.slice(1)}` : `¥${text}`);
const fen = (value) => (value === null ? "" : yuan((value / 100).toFixed(2)));
const code = (text) => (text ? el("code", {}, text) : "");

// A section with its title, and a table or the word for none. A column is its title and the cell of a row.
function list(id, rows, columns, all = rows.length) {
  const head = el("tr", {}, columns.map(([title, , kind]) => el("th", { class: kind ?? false }, t(title))));
  const body = rows.slice(0, ROWS_MAX).map((row) => el("tr", {}, columns.map(([, cell, kind]) => el("td", { class: kind ?? false }, cell(row)))));
  const more = all - body.length;
  byId(id).replaceChildren(
    el("h2", {}, `${t(id)} (${all.toLocaleString()})`),
    body.length === 0 ? el("p", { class: "muted" }, t("none")) : el("div", { class: "wide" }, el("table", {}, el("thead", {}, head), el("tbody", {}, body))),
    more > 0 ? el("p", { class: "note" }, `${more.toLocaleString()} ${t("more")}`) : "",
  );
}

const TILL = [["shop", (row) => row.shop ?? ""], ["till", (row) => code(row.till)]];
const SUMS = [
  ["sales", (row) => row.sales.count.toLocaleString(), "number"],
  ["amount", (row) => yuan(row.sales.sum), "number"],
  ["refunds", (row) => row.refunds.count.toLocaleString(), "number"],
  ["amount", (row) => yuan(row.refunds.sum), "number"],
  ["net", (row) => yuan(row.net), "number"],
];

// Who has decided something, when and why.
const looked = (of) => [["by", (row) => of(row).by], ["when", (row) => moment(of(row).unix_ms)], ["reason", (row) => of(row).reason]];

export function showLists(report) {
  list("differences", report.differences, [
    ["till", (row) => code(row.till)], ["biz_id", (row) => code(row.biz_id)], ["what", (row) => said(row.words)],
  ]);
  const gap = [["gap", (row) => row.gap], ...TILL, ["since", (row) => moment(row.noticed_unix_ms)], ["what", (row) => said(row.words)]];
  list("gaps", report.gaps, gap);
  list("accepted_gaps", report.accepted_gaps, [...gap, ...looked((row) => row.accepted)]);
  list("retired", report.retired, [...TILL, ["from_day", (row) => row.day], ...looked((row) => row)]);
  list("other_environments", report.other_environments, [["environment", (row) => code(row.environment)], ...SUMS]);
  const missing = report.behind.filter((row) => !report.silent.some((silent) => silent.till === row.till));
  list("silent", [...report.silent, ...missing], [
    ...TILL,
    ["last_seen", (row) => (row.seen_unix_ms === null ? t("never") : moment(row.seen_unix_ms))],
    ["what", (row) => said(row.words)],
  ]);
  const open = report.ages.reduce((sum, age) => sum + age.count, 0);
  list("unsettled", report.unsettled, [
    ...TILL,
    ["biz_id", (row) => code(row.biz_id)],
    ["stage", (row) => stageWord(row.stage)],
    ["amount", (row) => fen(row.amount), "number"],
    ["since", (row) => moment(row.at_unix_ms)],
    ["code", (row) => code(row.code)],
  ], open);
  list("shops", report.shops, [TILL[0], ...SUMS]);
  list("tills", report.tills, [...TILL, ...SUMS]);
}

export function showFigures(report) {
  const { sales, refunds, net } = report.total;
  const figure = (name, text) => el("div", {}, el("dt", {}, t(name)), el("dd", { "data-figure": name }, text));
  byId("figures").replaceChildren(
    figure("sales", yuan(sales.sum)),
    figure("count", sales.count.toLocaleString()),
    figure("refunds", yuan(refunds.sum)),
    figure("net", yuan(net)),
    figure("recharge", yuan(sales.recharge)),
    figure("gift", yuan(sales.gift)),
    figure("points", sales.points.toLocaleString()),
    figure("coupons", sales.coupons.toLocaleString()),
    figure("tills_heard", report.enrolled.toLocaleString()),
    report.set_aside > 0 ? figure("set_aside", report.set_aside.toLocaleString()) : "",
  );
}

export function showVerdict(report) {
  const reasons = report.reasons.map(said).join(t("comma"));
  const closed = report.closed;
  const verdict = byId("verdict");
  const since = report.since_closing.map(said).join(t("comma"));
  verdict.className = `verdict ${report.clean || (closed && closed.holds) ? "green" : "amber"}`;
  verdict.replaceChildren(
    report.clean ? t("clean") : t("not_clean") + reasons,
    ...(closed ? [" ", `${t("was_closed")}${closed.by}${t("comma")}`, moment(closed.unix_ms)] : []),
    ...(since ? [" ", t("since_closing") + since] : []),
  );
}
