import { createHash } from 'node:crypto'

/**
 * One decision, as Lua for Redis and Valkey, which run a script as one atomic step.
 *
 * KEYS: `begun` (since when this memory is whole), `guesses` of (peer, token) as a sorted set of when by which,
 * and under `once` `claim`, the last spent time step of (peer, seed). ARGV: one {@link ScriptQuestion} as JSON.
 * Answers {@link ScriptAnswer}. Instants are milliseconds of the attempt's clock; the clock of Redis measures only
 * how long ago a memory was found missing.
 *
 * The first line has Redis refuse the script as a whole where it could not write: when it is full, a replica, or
 * cannot save. Otherwise wrong codes would fail uncounted there while right ones were let in, which need no write.
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

/** What the script is asked. */
export interface ScriptQuestion {
  /** Now. */
  readonly at: number
  readonly budgets: readonly { readonly limit: number; readonly ms: number }[]
  /** A wrong code, in a form that tells Redis nothing. */
  readonly guess?: string
  /** How many of the newest guesses are kept, and for how long. */
  readonly keep?: number
  readonly keepMs?: number
  /** The time step of the right code, under `once`. */
  readonly step?: number
  readonly acceptableFrom?: number
  /** How long a code can be accepted at all. */
  readonly lifeMs?: number
  readonly claimMs?: number
  /** Set by who found that the server does not know the script. */
  readonly restarted?: true
  /** Set by who was answered `lost`: when its memory begins, unless that answer is too long ago. */
  readonly begin?: { readonly at: number; readonly lostAt: number; readonly withinMs: number }
}

const answerKinds = ['accepted', 'wrong', 'replayed', 'throttled', 'unknown', 'lost', 'late'] as const

/**
 * What the script answers; the number is, for `wrong`: 1 if a budget tripped, `replayed`: the last claimed time step,
 * `throttled`: milliseconds to wait, `unknown`: since when it knows, `lost`: the time by the clock of Redis.
 */
export type ScriptAnswer = readonly [kind: (typeof answerKinds)[number], value: number]

/** @returns the answer, or nothing for what the script never says */
export function parseAnswer(reply: unknown): ScriptAnswer | undefined {
  if (!Array.isArray(reply)) return undefined
  const [said, value] = reply as readonly unknown[]
  const kind = answerKinds.find((one) => one === said)
  return kind && typeof value === 'number' ? [kind, value] : undefined
}
