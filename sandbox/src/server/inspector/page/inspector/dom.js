// How text gets onto the page, and how this page asks the server. Everything shown comes in as a text node: a bizId
// is whatever a till sent.

import { said } from "./words.js";

// An element: attributes by name, listeners as `onclick`, children as nodes or text.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

// A number that a double would change, such as an 18-digit id or 1.00.
class Exact {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

// JSON whose numbers are shown as they were sent.
export function exact(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `{"\\u0000exact":"${token}"}`,
  );
  return JSON.parse(marked, (_, value) =>
    typeof value?.["\0exact"] === "string" ? new Exact(value["\0exact"]) : value,
  );
}

// JSON, indented, its kinds in colours.
export function jsonView(value) {
  const pre = el("pre", { class: "json" });
  writeJson(pre, value, "\n");
  return pre;
}

function writeJson(out, value, line) {
  const list = Array.isArray(value);
  if (value instanceof Exact) out.append(el("span", { class: "number" }, value.text));
  else if (typeof value === "string") out.append(el("span", { class: "string" }, JSON.stringify(value)));
  else if (value === null || typeof value !== "object") out.append(el("span", { class: "number" }, String(value)));
  else if (Object.keys(value).length === 0) out.append(list ? "[]" : "{}");
  else {
    const inner = `${line}  `;
    out.append(list ? "[" : "{");
    Object.entries(value).forEach(([key, item], at) => {
      out.append(at ? "," : "", inner);
      if (!list) out.append(el("span", { class: "key" }, JSON.stringify(key)), ": ");
      writeJson(out, item, inner);
    });
    out.append(line, list ? "]" : "}");
  }
}

// Asks the admin API. What it refuses is shown, and thrown.
export async function ask(method, path, body) {
  const sends = method === "POST" || method === "PUT";
  const options = sends
    ? { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) }
    : { method };
  const answer = await fetch(path, options);
  const value = exact(await answer.text());
  if (!answer.ok) throw new Error(said(value, "error") ?? `HTTP ${answer.status}`);
  return value;
}

// The same for a click: what is refused is shown to the person who clicked.
export async function order(method, path, body) {
  try {
    const value = await ask(method, path, body);
    byId("trouble").hidden = true;
    return value;
  } catch (error) {
    byId("trouble").textContent = error.message;
    byId("trouble").hidden = false;
    return null;
  }
}

// Lets a refresh happen at most once in so many milliseconds, however often it is wanted, and once after the last wish.
export function paced(ms, refresh) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      // Without the server there is nothing new to show; the line at the top says so.
      refresh().catch(() => {});
    }, ms);
  };
}

// Whether somebody is at work in there, so that it must not be drawn again under their hands.
// A click whose button is gone when the finger is lifted would be lost, too.
export const busy = (panel) =>
  panel.matches(":active") || (panel.contains(document.activeElement) && document.activeElement.matches("input, select"));

const two = (number) => String(number).padStart(2, "0");

export function timeOf(unixMs) {
  const date = new Date(unixMs);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function dayAndTimeOf(unixMs) {
  const date = new Date(unixMs);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOf(unixMs).slice(0, 8)}`;
}
