"use strict";
// The C functions, and how texts pass to and from them: UTF-8, NUL-terminated.

const fs = require("fs");
const path = require("path");
const koffi = require("koffi");

/** The first version of the interface that has every function below. */
const ABI_VERSION = 3;

/** The outcomes by the library's numbers. */
const OUTCOMES = ["succeeded", "declined", "invalid", "not_sent", "unknown", "internal", "reversed", "conflict", "running"];

/** How many texts each function takes. */
const CALLS = {
  init: 1, coupon_quote_json: 1, consume_json: 1, reverse_json: 1, lookup_json: 1, pending_json: 1, recover_json: 1,
  confirm_json: 1, settle_json: 1, call_json: 2, start_json: 2, poll_json: 1, biz_id: 0, shutdown: 0,
};

let loaded = null;

/** The library: this file, or the one beside the package's code, or the one that the system finds. */
function load(file) {
  if (loaded) return loaded;
  const name = process.platform === "win32" ? "zvpos.dll" : "libzvpos.so";
  const beside = path.join(__dirname, name);
  const library = koffi.load(file || (fs.existsSync(beside) ? beside : name));
  const found = library.func("uint32_t zv_abi_version()")();
  // Fails before any money moves, not at the first function that an old library lacks.
  if (found < ABI_VERSION) throw new Error(`this library has interface ${found}, needed is ${ABI_VERSION}`);
  const functions = {
    outcome: library.func("int32_t zv_outcome(void *response)"),
    field: library.func("size_t zv_field(const char *response, const char *path, _Out_ uint8_t *buffer, size_t capacity)"),
    free: library.func("void zv_free(void *response)"),
    version: library.func("const char *zv_version()"),
  };
  for (const [call, texts] of Object.entries(CALLS)) {
    // A result declared as a string would never be given back.
    functions[call] = library.func(`void *zv_${call}(${Array(texts).fill("const char *").join(", ")})`);
  }
  loaded = functions;
  return loaded;
}

function text(value) {
  if (value !== null && value.includes("\0")) throw new TypeError("a text with NUL would be cut there");
  return value;
}

/**
 * Calls a function and copies its answer: outcome and text. If there is no memory for the copy the answer is not given
 * back: the library then knows that the till has not acknowledged it, and names it after the next start.
 */
function call(name, ...texts) {
  const zv = load();
  const response = zv[name](...texts.map(text));
  const number = zv.outcome(response);
  const json = koffi.decode(response, "char", -1);
  zv.free(response);
  // An outcome of a later version never completes a sale.
  return [OUTCOMES[number] || "unknown", json];
}

/** One value of a JSON text; "" where there is none. */
function field(json, name) {
  const zv = load();
  let buffer = Buffer.alloc(256);
  let length = Number(zv.field(text(json), text(name), buffer, buffer.length));
  if (length >= buffer.length) {
    buffer = Buffer.alloc(length);
    length = Number(zv.field(json, name, buffer, buffer.length));
  }
  return buffer.toString("utf8", 0, length);
}

module.exports = { OUTCOMES, load, call, field, version: () => load().version() };
