// The two charts, as SVG. Texts are text nodes, like everything on this page.

import { t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const chart = (width, height, label, ...children) =>
  svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children);

const yuan = (fen) => `${fen < 0 ? "-" : ""}¥${Math.floor(Math.abs(fen) / 100).toLocaleString()}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;

// Sales upward and refunds downward, an hour each, in 分.
export function hoursChart(hours) {
  if (hours.length === 0) return emptyNote("no_sales");
  const [width, top, bottom] = [640, 24, 30];
  const up = Math.max(1, ...hours.map((hour) => hour.sum));
  const down = Math.max(0, ...hours.map((hour) => hour.refunded));
  const scale = 170 / (up + down);
  const zero = top + up * scale;
  const height = zero + down * scale + bottom;
  const step = width / 24;
  const children = [svg("line", { x1: 0, x2: width, y1: zero, y2: zero })];
  for (let at = 0; at < 24; at += 1) {
    const x = at * step;
    const hour = hours.find((one) => one.hour === at);
    if (at % 3 === 0) children.push(svg("text", { x: x + 2, y: height - 8 }, `${String(at).padStart(2, "0")}:00`));
    if (!hour) continue;
    const title = svg("title", {}, `${String(at).padStart(2, "0")}:00 ${t("sales")} ${hour.sales} ${yuan(hour.sum)}, ${t("refunds")} ${hour.refunds} ${yuan(-hour.refunded)}`);
    children.push(svg("g", { "data-hour": at, "data-sales": hour.sales, "data-sum": hour.sum }, title,
      svg("rect", { class: "sales", x: x + 3, y: zero - hour.sum * scale, width: step - 6, height: Math.max(hour.sum * scale, hour.sales ? 1 : 0), rx: 2 }),
      svg("rect", { class: "refunds", x: x + 3, y: zero, width: step - 6, height: hour.refunded * scale, rx: 2 })));
  }
  children.push(svg("text", { x: 0, y: 18 }, yuan(up)));
  return chart(width, height, t("by_hour"), ...children);
}

const AGES = ["below_5_min", "below_1_h", "below_1_day", "below_7_days", "older"];
const KINDS = ["open", "open", "old", "oldest", "oldest"];

// How many unsettled entries there are of each age.
export function agesChart(ages) {
  const all = ages.reduce((sum, age) => sum + age.count, 0);
  if (all === 0) return emptyNote("none_open");
  const [width, row, left] = [400, 34, 92];
  const most = Math.max(...ages.map((age) => age.count));
  const children = ages.flatMap((age, at) => {
    const y = at * row + 6;
    const length = (width - left - 60) * (age.count / most);
    return [
      svg("text", { x: 0, y: y + 15 }, t(AGES[at])),
      svg("rect", { class: KINDS[at], "data-age": at, "data-count": age.count, x: left, y, width: Math.max(length, age.count ? 2 : 0), height: row - 12, rx: 2 }),
      svg("text", { class: "value", x: left + length + 6, y: y + 15 }, age.count.toLocaleString()),
    ];
  });
  return chart(width, ages.length * row, t("by_age"), ...children);
}

function emptyNote(key) {
  const note = document.createElement("p");
  note.className = "muted";
  note.textContent = t(key);
  return note;
}
