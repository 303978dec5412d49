-- Runs the table of cases (tests/cases) through zvpos.lua against a running simulator:
--
--   luajit cases.lua LIBRARY GATEWAY ADMIN FOLDER FILE…
--
-- FOLDER: a new one, for the journals. Prints `ok NAME` or `FAILED NAME: why` for each case; ends with 1 if any failed.
-- The files are read by zv_field.

package.path = arg[0]:gsub("[^/]*$", "") .. "?.lua;" .. package.path
local ffi = require("ffi")
ffi.cdef "int poll(void *fds, unsigned long count, int timeout_ms);"

-- How long something that settles by itself may take, and the time between two looks.
local PATIENCE_S, PAUSE_MS = 40, 20

local zv = require("zvpos").load(arg[1])
local gateway = arg[2]:gsub("/api/v2$", "")
local admin_url = arg[3]:gsub("/$", "")
local folder = arg[4]

local function shell(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A request to the admin port.
local function admin(method, path, body)
  local command = "curl -sS --fail-with-body -X " .. method .. " " .. shell(admin_url .. path)
  if body then command = command .. " --data-binary " .. shell(body) end
  local pipe = assert(io.popen(command .. " 2>&1; echo \" $?\""))
  local text = pipe:read("*a")
  pipe:close()
  local answer, code = text:match("^(.*) (%d+)\n$")
  if code ~= "0" then error(method .. " " .. path .. ": " .. text, 0) end
  return answer
end

-- Looks again until there is no complaint; the last one after a time.
local function until_so(look)
  local started = os.time()
  while true do
    local complaint = look()
    if not complaint or os.time() - started > PATIENCE_S then return complaint end
    ffi.C.poll(nil, 0, PAUSE_MS)
  end
end

local function started(operation, request)
  local ticket, refused = zv.start(operation, request)
  if not ticket then return refused end
  local answer = zv.poll(ticket)
  while not answer do
    ffi.C.poll(nil, 0, 1)
    answer = zv.poll(ticket)
  end
  return answer
end

local function make(call, request, config)
  if call == "init" then return zv.init(request or config) end
  if call == "biz_id" then return zv.make_biz_id() end
  if call == "shutdown" then return zv.shutdown() end
  if call:find("^start:") then return started(call:sub(7), request) end
  if call:find("^call:") then return zv.call(call:sub(6), request) end
  return zv[call](request)
end

local function compare(answer, text, at)
  local expected = zv.field(text, at .. ".outcome")
  if answer.outcome ~= expected then return "expected " .. expected .. ", found " .. answer.text end
  if answer.complete ~= (expected == "succeeded") then return "complete is " .. tostring(answer.complete) end
  local number = 0
  while true do
    local path = zv.field(text, at .. ".fields." .. number .. ".0")
    if not path then return nil end
    local value = zv.field(text, at .. ".fields." .. number .. ".1") or ""
    local found = answer:field(path) or ""
    if found ~= value then return path .. ": expected " .. value .. ", found " .. found end
    number = number + 1
  end
end

local function net(text, at)
  local biz_id = zv.field(text, at .. ".0")
  local expected = zv.field(text, at .. ".1")
  return until_so(function()
    local found = zv.field(admin("GET", "/ledger?bizId=" .. biz_id), "net")
    if found ~= expected then return "net of " .. biz_id .. ": expected " .. expected .. ", found " .. tostring(found) end
  end)
end

-- Calls `visit` with the path of each item of a list until it complains.
local function each(text, list, visit)
  local number = 0
  while zv.field(text, list .. "." .. number) do
    local complaint = visit(list .. "." .. number)
    if complaint then return list .. "." .. number .. ": " .. complaint end
    number = number + 1
  end
end

local function run(text, at, config)
  admin("POST", "/reset")
  local answer = zv.init(config)
  if not answer.complete then return "init: " .. answer.text end
  local identity = answer:field("data.journal_id")
  each(text, at .. ".admin", function(order)
    admin(zv.field(text, order .. ".0"), zv.field(text, order .. ".1"), zv.field(text, order .. ".2"))
  end)
  return each(text, at .. ".calls", function(call)
    local name, request = zv.field(text, call .. ".call"), zv.field(text, call .. ".request")
    request = request and request:gsub("%$JOURNAL_ID", identity)
    local function once() return compare(make(name, request, config), text, call) end
    local complaint
    if zv.field(text, call .. ".wait") == "true" then complaint = until_so(once) else complaint = once() end
    return complaint and name .. ": " .. complaint
  end) or each(text, at .. ".net", function(entry) return net(text, entry) end)
end

local failed = false
for number = 5, #arg do
  local file = assert(io.open(arg[number], "rb"))
  local text = file:read("*a")
  file:close()
  each(text, "cases", function(at)
    local name = zv.field(text, at .. ".name")
    local values = {GATEWAY = gateway, JOURNAL = folder .. "/" .. name .. ".db"}
    local config = zv.field(text, "config"):gsub("%$(%u+)", values)
    local _, complaint = pcall(run, text, at, config)
    zv.shutdown()
    if complaint then failed = true end
    print(complaint and "FAILED " .. name .. ": " .. complaint or "ok " .. name)
  end)
end
os.exit(failed and 1 or 0)
