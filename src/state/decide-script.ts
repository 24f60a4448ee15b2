import { proveText, type ProofQuestion } from './proof-script.js'
import { script } from './script.js'
import { anyToken, guessSkewMs, mostTokensApart } from './state.js'

/**
 * One decision, as Lua for Redis and Valkey, which run a script as one atomic step.
 *
 * KEYS: `begun` (since when the memory is complete); `claim` (the last spent time step of the seed that matched; in its
 * place `begun` again for a guess); `seen` (the distinct wrong codes of this time step); and for each live seed `tokens`,
 * the tags of the tokens that guesses were made with, and `guesses`, to which the script appends such a tag: a sorted set
 * of guesses by instant. With a proof there is only a third key, `nonces`. ARGV: one {@link ScriptQuestion} as JSON. Returns a {@link ScriptAnswer}. Instants are
 * milliseconds of the attempt's clock; the clock of Redis only measures how long ago the memory was found missing.
 *
 * Because of the first line, Redis refuses the whole script where it cannot write: when it is full, is a replica, or
 * cannot save. Otherwise wrong codes would fail uncounted there, while right ones, which need no write, were accepted.
 */
const decideText = `#!lua
local begun, claim, seen = KEYS[1], KEYS[2], KEYS[3]
local ask = cjson.decode(ARGV[1])
local any = '${anyToken.repeat(8)}'
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
  return taken < ${mostTokensApart} and ask.token or any
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

${proveText}

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
    redis.call('ZADD', log, math.max(ask.at, math.min(newest(logs), ask.at + ${guessSkewMs})), ask.guess)
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

return spend(ask.step)
`.trim()

export const decideScript = script(decideText)

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
  /** The time step of the right code. */
  readonly step?: number
  /** Whether the policy is `once`; then with the next two. */
  readonly once?: boolean
  readonly acceptableFrom?: number
  /** How long a code is acceptable; also for a proof. */
  readonly lifeMs?: number
  readonly proof?: ProofQuestion
  readonly claimMs?: number
  /** Set after the server turned out not to know the script. */
  readonly restarted?: true
  /** Set after the answer `lost`: when the new memory begins, unless that answer is too old. */
  readonly begin?: { readonly at: number; readonly lostAt: number; readonly withinMs: number }
}

const answerKinds = [
  'accepted',
  'wrong',
  'counted',
  'tripped',
  'replayed',
  'throttled',
  'unknown',
  'full',
  'lost',
  'late',
] as const

/** What {@link decideScript} returns. */
export interface ScriptAnswer {
  /** `wrong` was not counted, `counted` was, and `tripped` exhausted a budget as well. */
  readonly kind: (typeof answerKinds)[number]
  /**
   * For `replayed`: the last claimed time step, 0 with a proof; `throttled`: milliseconds to wait; `unknown`: when the
   * memory begins, or with a proof when one that is known can be created; `full`: when there may be room; `lost`: the time by the clock of Redis.
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
