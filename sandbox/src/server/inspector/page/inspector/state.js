// What the gateway holds: members with their balances and coupons, and the ledger.

import { ask, byId, dayAndTimeOf, el, timeOf } from "./dom.js";
import { t } from "./words.js";

const MEMBERS_MAX = 100;
const LEDGER_MAX = 100;

// What was shown last, by place, so that a change can be made visible.
const before = new Map();

function live(key, text, attributes = {}) {
  const old = before.get(key);
  before.set(key, text);
  const changed = old !== undefined && old !== text;
  return el("span", { ...attributes, class: changed ? "changed" : false }, text);
}

function coupon(member, coupon) {
  const key = `${member.customerId} ${coupon.cardId}`;
  const usable = coupon.useStatus === 0;
  return el("li", { class: usable ? false : "spent" },
    el("span", {}, coupon.name, " ", el("code", { class: "muted" }, coupon.cardId)),
    el("span", {},
      live(`${key} status`, t(`use_status_${coupon.useStatus}`)),
      usable ? " · " : null,
      usable ? live(key, `${coupon.timesLeft.toLocaleString()} ${t("times_left")}`) : null,
    ),
  );
}

function member(view) {
  const figure = (name, text) =>
    el("div", {}, el("dt", {}, t(name)), el("dd", {}, live(`${view.customerId} ${name}`, text, { "data-figure": name })));
  return el("article", { class: "card", "data-member": view.customerId },
    el("header", {}, el("h3", {}, view.nickname), el("code", { class: "muted" }, view.customerId)),
    el("dl", { class: "figures" },
      figure("total", `¥${view.total}`), figure("recharge", `¥${view.recharge}`),
      figure("gift", `¥${view.gift}`), figure("points", view.points.toLocaleString()),
    ),
    el("ul", { class: "coupons" }, view.coupons.map((one) => coupon(view, one))),
  );
}

export async function showMembers() {
  const members = await ask("GET", `/members?first=${MEMBERS_MAX}`);
  byId("members").replaceChildren(
    el("h2", {}, t("members")),
    ...members.map(member),
    members.length === MEMBERS_MAX ? el("p", { class: "note" }, t("first_members")) : "",
  );
}

export function netBadge(net) {
  const kind = net === 0 ? "grey" : net === 1 ? "blue" : "red";
  const words = net === 0 ? t("net_0") : net === 1 ? t("net_1") : t("net_other");
  return el("span", { class: `badge ${kind}` }, `${net} ${words}`);
}

// An entry of the ledger in one line.
export function entryRow(entry) {
  const { recharge, gift, points, coupons } = entry.moved;
  const moved = [
    `${t("recharge")} ¥${recharge}`,
    gift !== "0.00" && `${t("gift")} ¥${gift}`,
    points > 0 && `${t("points")} ${points}`,
    coupons.length > 0 && `${t("coupons")} ${coupons.join(", ")}`,
  ].filter(Boolean);
  return el("li", {},
    el("time", { title: dayAndTimeOf(entry.at_unix_ms) }, timeOf(entry.at_unix_ms)),
    el("b", {}, t(`kind_${entry.kind}`)),
    el("span", {}, moved.join(" · ")),
  );
}

function record(view) {
  const other = view.returnedBizId !== view.bizId;
  return el("article", { class: "card record", "data-biz-id": view.bizId },
    el("header", {}, el("code", {}, view.bizId), netBadge(view.net)),
    el("p", { class: "muted" }, `${t("member")} ${view.customerId}`, other ? ` · ${t("returned")} ${view.returnedBizId}` : ""),
    el("ul", { class: "entries" }, view.entries.map(entryRow)),
  );
}

export async function showLedger() {
  const ledger = await ask("GET", `/ledger?last=${LEDGER_MAX}`);
  byId("ledger").replaceChildren(
    el("h2", {}, t("ledger")),
    el("p", { class: "muted" }, t("ledger_hint")),
    ...ledger.map(record),
    ledger.length ? "" : el("p", { class: "empty" }, t("ledger_empty")),
    ledger.length === LEDGER_MAX ? el("p", { class: "note" }, t("last_records")) : "",
  );
}

export async function showCounters() {
  const counters = await ask("GET", "/counters");
  for (const name of ["requests", "connections", "faults"]) {
    byId(`counter-${name}`).textContent = counters[name].toLocaleString();
  }
}
