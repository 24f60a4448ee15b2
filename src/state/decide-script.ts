import { createHash } from 'node:crypto'

/**
 * One decision, as Lua for Redis and Valkey, which run a script as one atomic step.
 *
 * KEYS: `begun` (since when the memory is complete), `guesses` of (peer, token) as a sorted set of guesses by instant,
 * and under `once` also `claim`, the last spent time step of (peer, seed). ARGV: one {@link ScriptQuestion} as JSON.
 * Returns a {@link ScriptAnswer}. Instants are milliseconds of the attempt's clock; the clock of Redis only measures
 * how long ago the memory was found missing.
 *
 * Because of the first line, Redis refuses the whole script where it cannot write: when it is full, is a replica, or
 * cannot save. Otherwise wrong codes would fail uncounted there, while right ones, which need no write, were accepted.
 */
const text = `#!lua
local begun, guesses, claim = KEYS[1], KEYS[2], KEYS[3]
local ask = cjson.decode(ARGV[1])

local function wait()
  local free = ask.at
  for _, budget in ipairs(ask.budgets) do
    local oldest = redis.call('ZRANGE', guesses, -budget.limit, -budget.limit, 'WITHSCORES')[2]
    if oldest then free = math.max(free, oldest + budget.ms) end
  end
  return free - ask.at
end

-- This server does not know the script, so it has restarted or taken over, and may have lost what it was told last.
if ask.restarted then redis.call('DEL', begun) end

local pause = wait()
if pause > 0 then return {'throttled', pause} end

if ask.guess then
  if #ask.budgets == 0 or redis.call('ZSCORE', guesses, ask.guess) then return {'wrong', 0} end
  local newest = redis.call('ZRANGE', guesses, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', guesses, math.max(ask.at, newest or ask.at), ask.guess)
  redis.call('ZREMRANGEBYRANK', guesses, 0, -ask.keep - 1)
  redis.call('PEXPIRE', guesses, ask.keepMs)
  return {'wrong', wait() > 0 and 1 or 0}
end

if not claim then return {'accepted', 0} end

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

redis.call('SET', claim, ask.step, 'PX', ask.claimMs)
return {'accepted', 0}
`.trim()

export const decideScript = { text, sha: createHash('sha1').update(text).digest('hex') }

/** The script's argument. */
export interface ScriptQuestion {
  /** Now. */
  readonly at: number
  readonly budgets: readonly { readonly limit: number; readonly ms: number }[]
  /** A wrong code, hashed so that Redis learns nothing. */
  readonly guess?: string
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

const answerKinds = ['accepted', 'wrong', 'replayed', 'throttled', 'unknown', 'lost', 'late'] as const

/**
 * What the script returns. The number is, for `wrong`: 1 if a budget tripped; `replayed`: the last claimed time step;
 * `throttled`: milliseconds to wait; `unknown`: when the memory begins; `lost`: the time by the clock of Redis.
 */
export type ScriptAnswer = readonly [kind: (typeof answerKinds)[number], value: number]

/** @returns the answer, or undefined for anything that the script never returns */
export function parseAnswer(reply: unknown): ScriptAnswer | undefined {
  if (!Array.isArray(reply)) return undefined
  const [said, value] = reply as readonly unknown[]
  const kind = answerKinds.find((one) => one === said)
  return kind && typeof value === 'number' ? [kind, value] : undefined
}
