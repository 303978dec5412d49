"use strict";
// Runs the table of cases (tests/cases/README.md) through this binding: node cases.js GATEWAY ADMIN FOLDER FILE...
// Without files: what only this binding has. A line a case: "ok NAME", or "FAILED NAME: why".
// The library is the one in ZVPOS_LIBRARY.

const fs = require("fs");
const path = require("path");
const { Zv } = require("..");
const own = require("./own");

const PATIENCE_MS = 40000;
const OWN_CONFIG = JSON.stringify({
  openId: "fake-open-id-for-test-only-0001", grantCode: "fake-grant-code-0001", openKey: "fake-open-key-for-test-only-0001",
  endpoint: "$GATEWAY/api/v2", journal: "$JOURNAL",
});
const SYNC = { biz_id: "makeBizId", coupon_quote: "couponQuoteSync", consume: "consumeSync", reverse: "reverseSync" };
const [gateway, admin, folder, ...files] = process.argv.slice(2);
let journals = 0;

async function http(method, at, body) {
  const options = method === "POST" ? { method, body: JSON.stringify(body ?? {}), headers: { "content-type": "application/json" } } : { method };
  return (await fetch(admin + at, options)).json();
}

/** The answer against what is expected of it: what is wrong, or null. */
function held(expected, answer) {
  const pairs = [["outcome", expected.outcome], ...expected.fields];
  if (answer.outcome !== expected.outcome) return `${answer.outcome} is not ${expected.outcome}: ${answer}`;
  for (const [name, value] of pairs) {
    const found = answer.get(name);
    if (found !== value) return `${name} is "${found}", expected "${value}" in ${answer}`;
  }
  return null;
}

async function until(wait, check) {
  const started = Date.now();
  for (;;) {
    const wrong = await check();
    if (wrong === null || !wait || Date.now() - started > PATIENCE_MS) return wrong;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function start(config) {
  try {
    return Zv.start(config, { library: process.env.ZVPOS_LIBRARY }).started;
  } catch (error) {
    if (error.answer) return error.answer;
    throw error;
  }
}

function call(zv, config, { call: name, request }) {
  if (name === "init") return start(request ?? config);
  const identity = zv.started.data.journal_id;
  if (request !== undefined) request = JSON.parse(JSON.stringify(request).replace("$JOURNAL_ID", identity));
  if (name.startsWith("start:")) return zv.begin(name.slice(6), request);
  if (name.startsWith("call:")) return zv.callSync(name.slice(5), request);
  return zv[SYNC[name] ?? name](request);
}

/** What is wrong, or null. */
async function run(zv, config, one) {
  for (const [method, at, body] of one.admin ?? []) await http(method, at, body);
  for (const each of one.calls) {
    const wrong = await until(each.wait, async () => held(each, await call(zv, config, each)));
    if (wrong !== null) return `${each.call}: ${wrong}`;
  }
  for (const [bizId, expected] of one.net ?? []) {
    const wrong = await until(true, async () => {
      const { net } = await http("GET", `/ledger?bizId=${bizId}`);
      return String(net) === expected ? null : `net of ${bizId} is ${net}, expected ${expected}`;
    });
    if (wrong !== null) return wrong;
  }
  return null;
}

/** On a simulator that was reset, with a journal of its own, the library started and in the end stopped. */
async function report(name, template, body) {
  await http("POST", "/reset");
  const journal = path.join(folder, `journal-${++journals}.db`).replace(/\\/g, "/");
  const config = template.replace("$GATEWAY", gateway).replace("$JOURNAL", journal);
  let wrong;
  try {
    const zv = Zv.start(config, { library: process.env.ZVPOS_LIBRARY });
    try {
      wrong = await body(zv, config);
    } finally {
      zv.shutdown();
    }
  } catch (error) {
    wrong = String(error);
  }
  if (wrong !== null) process.exitCode = 1;
  console.log(wrong === null ? `ok ${name}` : `FAILED ${name}: ${wrong}`);
}

(async () => {
  for (const file of files) {
    const { config, cases } = JSON.parse(fs.readFileSync(file, "utf8"));
    for (const one of cases) await report(one.name, JSON.stringify(config), (zv, text) => run(zv, text, one));
  }
  if (files.length === 0) {
    for (const [name, check] of Object.entries(own)) await report(name, OWN_CONFIG, check);
  }
})();
