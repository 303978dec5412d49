-- zvpos for LuaJIT: stored value and coupons of the zvcms platform.
--
--   local zv = require("zvpos").load()
--   local answer = zv.consume{bizId = "T1-1", customerId = "383933091455959041", amount = "23.00"}
--   if answer.complete then … end
--
-- A sale is complete if and only if `answer.complete`, which is outcome "succeeded"; every other answer has one thing
-- to do in `answer.next`. Nothing here raises an error for what the gateway or the library says.

local ffi = require("ffi")

ffi.cdef [[
char *zv_init(const char *config_json);
char *zv_coupon_quote_json(const char *request_json);
char *zv_consume_json(const char *request_json);
char *zv_reverse_json(const char *request_json);
char *zv_lookup_json(const char *request_json);
char *zv_pending_json(const char *request_json);
char *zv_recover_json(const char *request_json);
char *zv_confirm_json(const char *request_json);
char *zv_settle_json(const char *request_json);
char *zv_call_json(const char *action, const char *params_json);
char *zv_start_json(const char *operation, const char *request_json);
char *zv_poll_json(const char *ticket);
char *zv_biz_id(void);
char *zv_shutdown(void);
int32_t zv_outcome(const char *response);
size_t zv_field(const char *response, const char *path, char *buffer, size_t capacity);
void zv_free(char *response);
const char *zv_version(void);
uint32_t zv_abi_version(void);
]]
-- Left out on purpose: zv_set_log_callback, since LuaJIT cannot be called on a foreign thread (use the configuration's
-- `log`), and zv_take, since ffi.string copies.

local module = {
  SUCCEEDED = 0, DECLINED = 1, INVALID = 2, NOT_SENT = 3, UNKNOWN = 4, INTERNAL = 5, REVERSED = 6, CONFLICT = 7, RUNNING = 8,
}

-- The interface that this file was written for.
local ABI_VERSION = 3

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(letter)
    return escapes[letter] or string.format("\\u%04x", letter:byte())
  end) .. '"'
end

-- JSON of what a request is made of. A number must be whole and exact: ids and money are texts.
local function encode(value)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "number" then
    if value ~= math.floor(value) or math.abs(value) >= 2 ^ 53 then
      error("zvpos: " .. tostring(value) .. " is not a whole number below 2^53; write ids and amounts as texts", 0)
    end
    return string.format("%.0f", value)
  end
  if kind ~= "table" then error("zvpos: a request cannot hold a " .. kind, 0) end
  local parts = {}
  if #value > 0 then
    for _, item in ipairs(value) do parts[#parts + 1] = encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for name, item in pairs(value) do parts[#parts + 1] = quoted(tostring(name)) .. ":" .. encode(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

module.encode = encode

-- A text goes as it is; a NUL in it would cut it in two.
local function request_text(request)
  if request == nil then return nil end
  local text = type(request) == "table" and encode(request) or request
  if type(text) ~= "string" then error("zvpos: a request is a table or a JSON text, not a " .. type(text), 0) end
  if text:find("\0", 1, true) then error("zvpos: the request holds a NUL", 0) end
  return text
end

local answer_methods = {}

-- One value as text, such as "data.coupon_discount" or "errors.0.path"; nil if there is none or it is empty.
function answer_methods:field(path)
  local native = self.library
  local size = native.zv_field(self.text, path, nil, 0)
  if size == 0 then return nil end
  local room = ffi.new("char[?]", size)
  return ffi.string(room, native.zv_field(self.text, path, room, size))
end

-- The whole answer as a table, by the JSON library that `load` was given.
function answer_methods:decode()
  if not self.json then error("zvpos: load(path, json) was given no JSON library", 0) end
  return self.json.decode(self.text)
end

local words = {
  [0] = "succeeded", "declined", "invalid", "not_sent", "unknown", "internal", "reversed", "conflict", "running",
}

-- Copies an answer and gives it back; from then on it counts as read.
local function take(native, json, response)
  local text = ffi.string(response)
  native.zv_free(response)
  local answer = setmetatable({text = text, library = native, json = json}, {__index = answer_methods})
  answer.number = native.zv_outcome(text)
  answer.outcome = words[answer.number]
  answer.complete = answer.number == module.SUCCEEDED
  for _, name in ipairs {"next", "code", "message", "cashier"} do answer[name] = answer:field(name) or "" end
  return answer
end

-- Loads the library, by its path or by its name where the loader finds it. `json`: optional, with `decode`.
function module.load(path, json)
  local native = ffi.load(path or "zvpos")
  local abi = native.zv_abi_version()
  if abi < ABI_VERSION then
    error("zvpos: the library's interface is " .. abi .. ", older than " .. ABI_VERSION, 0)
  end
  local zv = {native = native}
  local function of_one(name)
    return function(request) return take(native, json, native[name](request_text(request))) end
  end
  zv.init = of_one("zv_init")
  zv.coupon_quote = of_one("zv_coupon_quote_json")
  zv.consume = of_one("zv_consume_json")
  zv.reverse = of_one("zv_reverse_json")
  zv.lookup = of_one("zv_lookup_json")
  zv.pending = of_one("zv_pending_json")
  zv.recover = of_one("zv_recover_json")
  zv.confirm = of_one("zv_confirm_json")
  zv.settle = of_one("zv_settle_json")
  function zv.call(action, params)
    return take(native, json, native.zv_call_json(action, request_text(params)))
  end
  -- Begins a call without waiting. Returns its ticket, or nil and the answer that says why nothing was started.
  function zv.start(operation, request)
    local answer = take(native, json, native.zv_start_json(operation, request_text(request) or "{}"))
    if answer.number ~= module.RUNNING then return nil, answer end
    return answer:field("data.ticket")
  end
  -- nil while the call runs, then its answer, once.
  function zv.poll(ticket)
    local answer = take(native, json, native.zv_poll_json(ticket))
    if answer.number == module.RUNNING then return nil end
    return answer
  end
  -- Makes a bizId, in the answer's field "bizId": no two agree, and a look-up needs no journal_id with it.
  function zv.make_biz_id() return take(native, json, native.zv_biz_id()) end
  function zv.shutdown() return take(native, json, native.zv_shutdown()) end
  function zv.version() return ffi.string(native.zv_version()) end
  -- One value of any JSON text, such as a request that is kept in a file.
  function zv.field(text, name)
    return answer_methods.field({library = native, text = text}, name)
  end
  return zv
end

return module
