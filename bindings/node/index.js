"use strict";
// Member coupons and stored value of the zvcms platform. index.d.ts describes each function.

const native = require("./native");
const { Tickets } = require("./tickets");

const Outcome = Object.freeze(
  Object.fromEntries(native.OUTCOMES.map((name) => [name.toUpperCase(), name])),
);

class Answer {
  constructor(outcome, text) {
    this.outcome = outcome;
    this.text = text;
    Object.freeze(this);
  }

  get succeeded() { return this.outcome === Outcome.SUCCEEDED; }
  get next() { return this.get("next"); }
  get code() { return this.get("code"); }
  get message() { return this.get("message"); }
  get cashier() { return this.get("cashier"); }
  get data() { return JSON.parse(this.text).data; }

  get(path) { return native.field(this.text, path); }
  toJSON() { return JSON.parse(this.text); }
  toString() { return this.text; }
}

const call = (name, ...texts) => new Answer(...native.call(name, ...texts));
const tickets = new Tickets(call);

/** A text is JSON already; what JavaScript has rounded is refused. */
function json(request) {
  if (request === undefined || request === null) return null;
  if (typeof request === "string") return request;
  return JSON.stringify(request, (name, value) => {
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new RangeError(`${name} is not exact in JavaScript: give ids as text`);
    }
    return value;
  });
}

class Zv {
  constructor(started) { this.started = started; }

  static start(config, options = {}) {
    native.load(options.library);
    const answer = call("init", json(config));
    if (!answer.succeeded) throw Object.assign(new Error(`${answer.code}: ${answer.message}`), { answer });
    return new Zv(answer);
  }

  static get version() { return native.version(); }

  couponQuoteSync(request) { return call("coupon_quote_json", json(request)); }
  consumeSync(request) { return call("consume_json", json(request)); }
  reverseSync(request) { return call("reverse_json", json(request)); }
  callSync(action, params) { return call("call_json", action, json(params)); }

  couponQuote(request) { return this.begin("coupon_quote", request); }
  consume(request) { return this.begin("consume", request); }
  reverse(request) { return this.begin("reverse", request); }
  call(action, params) { return this.begin(`call:${action}`, params); }
  async begin(operation, request) { return tickets.start(operation, json(request) ?? "{}"); }

  makeBizId() { return call("biz_id"); }
  lookup(request) { return call("lookup_json", json(request)); }
  pending(request) { return call("pending_json", json(request)); }
  recover(request) { return call("recover_json", json(request)); }
  confirm(request) { return call("confirm_json", json(request)); }
  settle(request) { return call("settle_json", json(request)); }

  shutdown() { return tickets.shutdown(); }
}

module.exports = { Answer, Outcome, Zv, field: native.field };
