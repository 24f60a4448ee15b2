"""The scripts that Redis and Valkey run, the same texts as src/state/*-script.ts: replicas of both share one memory.

What they are asked and answer is described there; test/state/python-scripts.test.ts compares the texts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

DECIDE_TEXT = r"""#!lua
local begun, claim, seen = KEYS[1], KEYS[2], KEYS[3]
local ask = cjson.decode(ARGV[1])
local any = '********'
local dead = {}
for _, token in ipairs(ask.dead) do dead[token] = true end

local function keep(key, ms)
  redis.call('PEXPIRE', key, ms, 'NX')
  redis.call('PEXPIRE', key, ms, 'GT')
end

-- How many guesses there are since an instant.
local function count(logs, since)
  local sum = 0
  for _, log in ipairs(logs) do sum = sum + redis.call('ZCOUNT', log, since, '+inf') end
  return sum
end

local function newest(logs)
  local last = -math.huge
  for _, log in ipairs(logs) do
    last = math.max(last, redis.call('ZRANGE', log, -1, -1, 'WITHSCORES')[2] or last)
  end
  return last
end

-- How long a budget is exhausted from now on.
local function pause(logs, budget)
  local low = ask.at - budget.ms + 1
  if count(logs, low) < budget.limit then return 0 end
  -- The instant of the oldest guess that has to end: so many are not older.
  local high = newest(logs)
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if count(logs, middle) >= budget.limit then low = middle else high = middle - 1 end
  end
  return low + budget.ms - ask.at
end

local function wait()
  local longest = 0
  for place = 4, #KEYS, 2 do
    local logs = {}
    for _, token in ipairs(redis.call('SMEMBERS', KEYS[place])) do
      if not dead[token] then logs[#logs + 1] = KEYS[place + 1] .. ':' .. token end
    end
    if #logs > 0 then
      for _, budget in ipairs(ask.budgets) do longest = math.max(longest, pause(logs, budget)) end
    end
  end
  return longest
end

-- An answer that counts guesses, with the tokens that they were made with.
local function exhausted(kind, value)
  local answer = {kind, value}
  for place = 4, #KEYS, 2 do
    for _, token in ipairs(redis.call('SMEMBERS', KEYS[place])) do
      if token ~= any then answer[#answer + 1] = token end
    end
  end
  return answer
end

-- The token, if there is a place for one more; a token without guesses has none.
local function apart(tokens, guesses)
  if not ask.token or redis.call('SISMEMBER', tokens, ask.token) == 1 then return ask.token or any end
  local taken = 0
  for _, token in ipairs(redis.call('SMEMBERS', tokens)) do
    if redis.call('EXISTS', guesses .. ':' .. token) == 0 then
      redis.call('SREM', tokens, token)
    elseif token ~= any then
      taken = taken + 1
    end
  end
  return taken < 16 and ask.token or any
end

-- This server does not know the script, so it has restarted or taken over, and may have lost what it was told last.
if ask.restarted then redis.call('DEL', begun) end

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- When the memory begins, or the answer if that is not known.
local function beginning()
  local since = tonumber(redis.call('GET', begun))
  -- A beginning far in the future was written by a clock that is wrong.
  if since and since <= ask.at + ask.lifeMs then return since end
  local now = clock()
  if not ask.begin then return nil, {'lost', now} end
  if now - ask.begin.lostAt > ask.begin.withinMs then return nil, {'late', 0} end
  redis.call('SET', begun, ask.begin.at)
  return ask.begin.at
end

local function spend(step)
  redis.call('SET', claim, step, 'KEEPTTL')
  keep(claim, ask.claimMs)
  return {'accepted', 0}
end

local function prove(proof)
  local nonces, gone, first, held = KEYS[3], -math.huge, math.huge, 0
  local untils, listed = {}, redis.call('HGETALL', KEYS[3])
  for place = 1, #listed, 2 do
    local name, value = listed[place], tonumber(listed[place + 1])
    if name == 'gone' then
      gone = value
    else
      untils[name] = value
      if redis.call('SISMEMBER', nonces .. ':' .. name, proof.nonce) == 1 then return {'replayed', 0} end
    end
  end

  local since, without = beginning()
  if not since then return without end
  if proof.created < math.floor(since / 1000) then return {'unknown', since} end

  local now = clock()
  for name, kept in pairs(untils) do
    local bucket, last = nonces .. ':' .. name, tonumber(name)
    local size = redis.call('SCARD', bucket)
    -- An empty one was lost: Redis ended it after its time to live.
    if size == 0 or (ask.at >= (last + 1) * 1000 + proof.skewMs and now >= kept) then
      redis.call('UNLINK', bucket)
      redis.call('HDEL', nonces, name)
      if last > gone then
        gone = last
        redis.call('HSET', nonces, 'gone', name)
      end
    else
      held = held + size
      first = math.min(first, last)
    end
  end
  if proof.expires <= gone then return {'unknown', (gone + 1 - (proof.expires - proof.created)) * 1000} end
  if held >= proof.most then return {'full', (first + 1) * 1000 + proof.skewMs} end

  local name = string.format('%.0f', proof.bucket)
  local leftMs = math.max(0, (proof.bucket + 1) * 1000 - ask.at)
  -- In whole seconds, so that it is seldom written.
  local kept = math.ceil((now + leftMs) / 1000) * 1000
  redis.call('SADD', nonces .. ':' .. name, proof.nonce)
  local last = tonumber(redis.call('GET', claim))
  if kept > (untils[name] or 0) then
    keep(nonces .. ':' .. name, leftMs + proof.keepMs)
    redis.call('HSET', nonces, name, kept)
    keep(nonces, ask.claimMs)
    if last then keep(claim, ask.claimMs) end
  end
  if last and ask.step <= last then return {'accepted', 0} end
  return spend(ask.step)
end

if ask.proof then return prove(ask.proof) end

local free = wait()
if free > 0 then return exhausted('throttled', free) end

if ask.guess then
  if #KEYS == 3 or #ask.budgets == 0 then return {'wrong', 0} end
  if redis.call('SADD', seen, ask.guess) == 0 then return {'wrong', 0} end
  keep(seen, ask.seenMs)
  for place = 4, #KEYS, 2 do
    local tokens, guesses = KEYS[place], KEYS[place + 1]
    local logs = {}
    for _, token in ipairs(redis.call('SMEMBERS', tokens)) do logs[#logs + 1] = guesses .. ':' .. token end
    local token = apart(tokens, guesses)
    local log = guesses .. ':' .. token
    redis.call('SADD', tokens, token)
    -- Not before the newest one, if the clock was set back a little: no guess is forgotten early.
    redis.call('ZADD', log, math.max(ask.at, math.min(newest(logs), ask.at + 60000)), ask.guess)
    redis.call('ZREMRANGEBYRANK', log, 0, -ask.keep - 1)
    keep(log, ask.keepMs)
    keep(tokens, ask.keepMs)
  end
  if wait() > 0 then return exhausted('tripped', 0) end
  return {'counted', 0}
end

if not ask.step then return {'accepted', 0} end

local last = tonumber(redis.call('GET', claim))

if not ask.once then
  -- For when the policy becomes once.
  if not last or ask.step > last then return spend(ask.step) end
  return {'accepted', 0}
end

if last and ask.step <= last then return {'replayed', last} end

local since, without = beginning()
if not since then return without end
if ask.acceptableFrom < since then return {'unknown', since} end

return spend(ask.step)"""
"""One decision."""

TAKE_BACK_TEXT = r"""#!lua
local ahead = KEYS[1]
local ask = cjson.decode(ARGV[1])

if ask.drift > 0 then
  local expected = false
  for drift = ask.drift - 1, ask.drift + 1 do
    local step, at = string.match(redis.call('HGET', ahead, drift) or '', '^(%d+) (%d+)$')
    if step and tonumber(step) < ask.step and math.abs(ask.at - at) <= ask.recentMs then expected = true end
  end
  redis.call('HSET', ahead, ask.drift, string.format('%.0f %.0f', ask.step, ask.at))
  redis.call('PEXPIRE', ahead, ask.recentMs)
  if not expected then return 0 end
end

for place = 2, #KEYS do
  for _, token in ipairs(ask.tokens) do redis.call('ZREM', KEYS[place] .. ':' .. token, ask.guess) end
end
return 1"""
"""Takes back a guess that was a late code."""


@dataclass(frozen=True)
class Script:
    """A script, and the digest that Redis knows it by."""

    text: str

    @property
    def sha(self) -> str:
        """Of its text."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


DECIDE = Script(DECIDE_TEXT)
TAKE_BACK = Script(TAKE_BACK_TEXT)
