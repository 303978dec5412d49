-- What becomes of a request before the library sees it:  luajit requests.lua LIBRARY
-- Prints `ok`, or fails where something is not as it must be.

package.path = arg[0]:gsub("[^/]*$", "") .. "?.lua;" .. package.path
local zvpos = require("zvpos")
local zv = zvpos.load(arg[1], {decode = function(text) return {text = text} end})

assert(zvpos.encode {b = true, a = {1, 2}, c = {n = "x"}} == '{"a":[1,2],"b":true,"c":{"n":"x"}}')
assert(zvpos.encode {a = 9007199254740991} == '{"a":9007199254740991}')
local text = '张三 "\\/\n\t\1😀'
assert(zv.field(zvpos.encode {a = text}, "a") == text, "a text comes back as it was")

-- A number that has lost digits, or has more than a till may have, is never sent.
for _, number in ipairs {23.5, 383933091455959041, 0 / 0, 1 / 0, -2 ^ 60, 9007199254740993} do
  local fine, why = pcall(zv.consume, {bizId = "L-1", amount = number})
  assert(not fine and tostring(why):find("write ids and amounts as texts"), tostring(number))
end
for _, request in ipairs {'{"bizId":"A"}\0', function() end, 5} do
  assert(not pcall(zv.consume, request), "refused: " .. type(request))
end

local answer = zv.consume {bizId = "L-1"}
assert(answer.outcome == "invalid" and not answer.complete and answer:field("data") == nil)
assert(answer:decode().text == answer.text)
print("ok")
