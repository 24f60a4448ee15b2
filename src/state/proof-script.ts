/**
 * The part of the decision that a proof takes, as Lua: see {@link decideText}. KEYS[3] is `nonces`: a hash with the buckets
 * of the seed's spent nonces. A field is the unix second in which the last nonce of a bucket may expire, its value the
 * instant by the clock of Redis until which the bucket is kept in any case. The script appends the field for the bucket
 * itself, a set. The field `gone` is the last second of which buckets are gone: what expires until then is unknown.
 */
export const proveText = `
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
`.trim()

/** What a proof spends. Seconds are unix seconds of the attempt's clock. */
export interface ProofQuestion {
  readonly nonce: string
  readonly created: number
  readonly expires: number
  /** The second that names its bucket. */
  readonly bucket: number
  /** How many nonces of the seed are remembered at most. */
  readonly most: number
  /** By how much the clock of another replica may be behind. */
  readonly skewMs: number
  /** How much longer than its nonces a bucket is kept, for a clock that stands still or is set back. */
  readonly keepMs: number
}
