"use strict";
// Calls that were started and whose answers are fetched as they come. Nothing blocks the event loop: a timer asks for
// all of them, as long as there are any, and keeps the process alive until then.

const POLL_MS = 10;
const GONE = ["ZV-NO-TICKET", "ZV-SHUT-DOWN", "ZV-NOT-INIT"];

class Tickets {
  /** `call` is Native's, with answers as objects. */
  constructor(call) {
    this.call = call;
    this.open = new Map();
    this.timer = null;
  }

  start(operation, request) {
    const answer = this.call("start_json", operation, request);
    if (answer.outcome !== "running") return Promise.resolve(answer);
    return new Promise((resolve, reject) => {
      this.open.set(answer.get("data.ticket"), { resolve, reject });
      this.schedule();
    });
  }

  /**
   * Stops the library after fetching every answer: with the library a ticket would be gone, and with it the answer to a
   * payment.
   */
  shutdown() {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (this.poll(); this.open.size > 0; this.poll()) Atomics.wait(clock, 0, 0, POLL_MS);
    clearTimeout(this.timer);
    this.timer = null;
    return this.call("shutdown");
  }

  schedule() {
    if (this.timer !== null || this.open.size === 0) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.poll();
      this.schedule();
    }, POLL_MS);
  }

  poll() {
    for (const [ticket, { resolve, reject }] of [...this.open]) {
      const answer = this.call("poll_json", ticket);
      if (answer.outcome === "running") continue;
      this.open.delete(ticket);
      // A ticket that is gone says nothing about its payment.
      if (GONE.includes(answer.code)) {
        const error = new Error("the library was stopped before the answer was fetched; start it and look the bizId up");
        reject(Object.assign(error, { answer }));
      } else resolve(answer);
    }
  }
}

module.exports = { Tickets };
