import { script } from './script.js'

/**
 * Takes back a guess that was a late code. KEYS: `ahead` (a hash of codes ahead of the window, by drift), and `guesses`
 * of each live seed, see {@link decideText}. ARGV: one {@link TakeBackQuestion} as JSON. Returns 1 if it was taken back, else 0.
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
  for _, token in ipairs(ask.tokens) do redis.call('ZREM', KEYS[place] .. ':' .. token, ask.guess) end
end
return 1
`.trim()

export const takeBackScript = script(takeBackText)

/** The argument of {@link takeBackScript}. */
export interface TakeBackQuestion {
  /** When the code was sent. */
  readonly at: number
  /** The time step and the drift of the late code. */
  readonly step: number
  readonly drift: number
  /** For how long a code ahead is remembered. */
  readonly recentMs: number
  /** The tag of the code in its time step. */
  readonly guess: string
  /** The tags of the tokens that it may be listed under. */
  readonly tokens: readonly string[]
}
