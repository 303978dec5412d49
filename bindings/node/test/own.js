"use strict";
// What only this binding has: what JavaScript cannot hold, promises, and what becomes of them when the library stops.

const koffi = require("koffi");
const { Zv } = require("..");

const MEMBER = "383933091455959041";
const payment = (bizId) => ({ bizId, customerId: MEMBER, amount: "1.00" });
const wrongUnless = (right, answer) => (right ? null : String(answer));

module.exports = {
  "own-object": async (zv) => {
    const answer = await zv.consume({ ...payment("O-1"), customerId: BigInt(MEMBER), points: 5, remark: "\"小票\" \\ 1 🧾", ip: undefined });
    return wrongUnless(answer.succeeded && answer.data.change_recharge_amount === "1.00" && answer.toJSON().bizId === "O-1", answer);
  },

  "own-not-exact": (zv) => {
    try {
      return String(zv.consumeSync({ ...payment("O-1"), customerId: 383933091455959041 }));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    try {
      return String(zv.consumeSync(JSON.stringify(payment("O-1")) + "\0"));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    return wrongUnless(zv.lookup({ bizId: "O-1" }).code === "ZV-NOT-FOUND", "something was sent");
  },

  // The library names after a start what nobody has given back, and so perhaps nobody read.
  "own-answers-are-given-back": async (zv, config) => {
    const paid = zv.consumeSync(payment("O-1")).succeeded && (await zv.consume(payment("O-2"))).succeeded;
    zv.shutdown();
    const { started } = Zv.start(config, { library: process.env.ZVPOS_LIBRARY });
    return wrongUnless(paid && started.get("data.unacknowledged") === "[]", started);
  },

  "own-many-promises": async (zv) => {
    const items = [{ num: 1, trade_mark: "A", price: "28.00" }];
    const quotes = Array.from({ length: 40 }, () => zv.couponQuote({ user_coupon_id: "390962138708451328", user_id: MEMBER, items }));
    const wrong = (await Promise.all(quotes)).find((answer) => answer.get("data.coupon_discount") !== "5.00");
    return wrong ? String(wrong) : null;
  },

  "own-event-loop-runs": async (zv) => {
    let turns = 0;
    const counter = setInterval(() => turns++, 1);
    const answer = await zv.consume(payment("O-1~slow_body:1"));
    clearInterval(counter);
    return wrongUnless(answer.succeeded && turns > 0, answer);
  },

  "own-shutdown-fetches-answers": async (zv) => {
    const promise = zv.consume(payment("O-1~slow_body:1"));
    zv.shutdown();
    return wrongUnless((await promise).succeeded, await promise);
  },

  "own-start-names-the-reasons": (zv) => {
    zv.shutdown();
    try {
      return String(Zv.start({ openId: "a", idle_ms: "x", lang: "en" }, { library: process.env.ZVPOS_LIBRARY }).started);
    } catch (error) {
      const named = ["ZV-CONFIG: ", "idle_ms must be ", "grantCode is missing: "];
      return wrongUnless(named.every((part) => error.message.includes(part)), error.message);
    }
  },

  "own-answer-lost": async (zv) => {
    const library = koffi.load(process.env.ZVPOS_LIBRARY);
    const promise = zv.consume(payment("O-1~slow_body:1"));
    library.func("void zv_free(void *response)")(library.func("void *zv_shutdown()")());
    try {
      return `answered ${await promise}`;
    } catch (error) {
      return wrongUnless(error.answer.code === "ZV-SHUT-DOWN", error);
    }
  },
};
