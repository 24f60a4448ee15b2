import { createHash } from 'node:crypto'
import { anyToken, mostTokensApart } from './state.js'

/**
 * One decision, as Lua for Redis and Valkey, which run a script as one atomic step.
 *
 * KEYS: `begun` (since when the memory is complete); `claim` (the last spent time step of the seed that matched; in its
 * place `begun` again, if nothing can be claimed); `seen` (the distinct wrong codes of this time step); and for each live
 * seed `guesses`, a sorted set of guesses by instant, and `tokens`, the tokens that they were made with. ARGV: one
 * {@link ScriptQuestion} as JSON. Returns a {@link ScriptAnswer}. Instants are milliseconds of the attempt's clock; the
 * clock of Redis only measures how long ago the memory was found missing.
 *
 * A member of `guesses` is the tag of its token (8 characters) and that of time step and code (14).
 *
 * Because of the first line, Redis refuses the whole script where it cannot write: when it is full, is a replica, or
 * cannot save. Otherwise wrong codes would fail uncounted there, while right ones, which need no write, were accepted.
 */
const decideText = `#!lua
local begun, claim, seen = KEYS[1], KEYS[2], KEYS[3]
local ask = cjson.decode(ARGV[1])
local dead = {}
for _, token in ipairs(ask.dead) do dead[token] = true end

local function keep(key, ms)
  redis.call('PEXPIRE', key, ms, 'NX')
  redis.call('PEXPIRE', key, ms, 'GT')
end

-- The instant of the nth newest guess that counts.
local function nth(guesses, n)
  if not next(dead) then return redis.call('ZRANGE', guesses, -n, -n, 'WITHSCORES')[2] end
  local place, page = 0, nil
  repeat
    page = redis.call('ZREVRANGE', guesses, place, place + 99, 'WITHSCORES')
    for i = 1, #page, 2 do
      if not dead[page[i]:sub(1, 8)] then n = n - 1 end
      if n == 0 then return page[i + 1] end
    end
    place = place + 100
  until #page == 0
end

local function wait()
  local free = ask.at
  for place = 4, #KEYS, 2 do
    for _, budget in ipairs(ask.budgets) do
      local oldest = nth(KEYS[place], budget.limit)
      if oldest then free = math.max(free, math.floor(oldest) + budget.ms) end
    end
  end
  return free - ask.at
end

-- An answer that counts guesses, with the tokens that they were made with.
local function exhausted(kind, value)
  local answer = {kind, value}
  for place = 5, #KEYS, 2 do
    for _, token in ipairs(redis.call('SMEMBERS', KEYS[place])) do answer[#answer + 1] = token end
  end
  return answer
end

-- This server does not know the script, so it has restarted or taken over, and may have lost what it was told last.
if ask.restarted then redis.call('DEL', begun) end

local pause = wait()
if pause > 0 then return exhausted('throttled', pause) end

if ask.guess then
  if #KEYS == 3 or #ask.budgets == 0 then return {'wrong', 0} end
  if redis.call('SADD', seen, ask.guess) == 0 then return {'wrong', 0} end
  keep(seen, ask.seenMs)
  for place = 4, #KEYS, 2 do
    local guesses, tokens, token = KEYS[place], KEYS[place + 1], ask.token
    if token and redis.call('SISMEMBER', tokens, token) == 0 then
      if redis.call('SCARD', tokens) < ${mostTokensApart} then redis.call('SADD', tokens, token) else token = nil end
    end
    local newest = redis.call('ZRANGE', guesses, -1, -1, 'WITHSCORES')[2]
    -- Fractions of a millisecond keep guesses of one instant in their order, also after the clock was set back.
    redis.call('ZADD', guesses, math.max(ask.at, (newest or 0) + 0.001), (token or '${anyToken.repeat(8)}') .. ask.guess)
    redis.call('ZREMRANGEBYRANK', guesses, 0, -ask.keep - 1)
    keep(guesses, ask.keepMs)
    if token then keep(tokens, ask.keepMs) end
  end
  if wait() > 0 then return exhausted('tripped', 0) end
  return {'counted', 0}
end

if not ask.step then return {'accepted', 0} end

local last = tonumber(redis.call('GET', claim))
if last and ask.step <= last then return {'replayed', last} end

local since = tonumber(redis.call('GET', begun))
-- A beginning far in the future was written by a clock that is wrong.
if not since or since > ask.at + ask.lifeMs then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if not ask.begin then return {'lost', now} end
  if now - ask.begin.lostAt > ask.begin.withinMs then return {'late', 0} end
  since = ask.begin.at
  redis.call('SET', begun, since)
end
if ask.acceptableFrom < since then return {'unknown', since} end

redis.call('SET', claim, ask.step, 'KEEPTTL')
keep(claim, ask.claimMs)
return {'accepted', 0}
`.trim()

/**
 * Takes back a guess that was a late code. KEYS: `ahead` (a hash of codes ahead of the window, by drift), and `guesses`
 * of each live seed. ARGV: one {@link TakeBackQuestion} as JSON. Returns 1 if it was taken back, else 0.
 */
const takeBackText = `#!lua
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
  for _, member in ipairs(ask.members) do redis.call('ZREM', KEYS[place], member) end
end
return 1
`.trim()

/** A script, and the digest that Redis knows it by. */
export interface Script {
  readonly text: string
  readonly sha: string
}

const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })

export const decideScript = script(decideText)
export const takeBackScript = script(takeBackText)

/** The argument of {@link decideScript}. */
export interface ScriptQuestion {
  /** Now. */
  readonly at: number
  readonly budgets: readonly { readonly limit: number; readonly ms: number }[]
  /** Tags of tokens whose guesses do not count. */
  readonly dead: readonly string[]
  /** The tag of a wrong code in its time step: hashed, so that Redis learns nothing. */
  readonly guess?: string
  /** The tag of its token, if the delegate lists its tokens. */
  readonly token?: string
  /** How long the time step's wrong codes are kept. */
  readonly seenMs?: number
  /** How many of the newest guesses are kept, and for how long. */
  readonly keep?: number
  readonly keepMs?: number
  /** Under `once`, the time step of the right code. */
  readonly step?: number
  readonly acceptableFrom?: number
  /** How long a code is acceptable. */
  readonly lifeMs?: number
  readonly claimMs?: number
  /** Set after the server turned out not to know the script. */
  readonly restarted?: true
  /** Set after the answer `lost`: when the new memory begins, unless that answer is too old. */
  readonly begin?: { readonly at: number; readonly lostAt: number; readonly withinMs: number }
}

/** The argument of {@link takeBackScript}. */
export interface TakeBackQuestion {
  /** When the code was sent. */
  readonly at: number
  /** The time step and the drift of the late code. */
  readonly step: number
  readonly drift: number
  /** For how long a code ahead is remembered. */
  readonly recentMs: number
  /** How the guess may be listed: under its token or under none. */
  readonly members: readonly string[]
}

const answerKinds = [
  'accepted',
  'wrong',
  'counted',
  'tripped',
  'replayed',
  'throttled',
  'unknown',
  'lost',
  'late',
] as const

/** What {@link decideScript} returns. */
export interface ScriptAnswer {
  /** `wrong` was not counted, `counted` was, and `tripped` exhausted a budget as well. */
  readonly kind: (typeof answerKinds)[number]
  /**
   * For `replayed`: the last claimed time step; `throttled`: milliseconds to wait; `unknown`: when the memory begins;
   * `lost`: the time by the clock of Redis.
   */
  readonly value: number
  /** For `throttled` and `tripped`: the tags of the tokens that guesses were made with. */
  readonly tokens: readonly string[]
}

/** @returns the answer, or undefined for anything that the script never returns */
export function parseAnswer(reply: unknown): ScriptAnswer | undefined {
  if (!Array.isArray(reply)) return undefined
  const [said, value, ...tokens] = reply as readonly unknown[]
  const kind = answerKinds.find((one) => one === said)
  if (!kind || typeof value !== 'number' || !tokens.every((one) => typeof one === 'string')) return undefined
  return { kind, value, tokens }
}
