/**
 * One replica of an agent, for the tests with several: `state-worker CLIENT PORT PREFIX POLICY`. For each line of
 * JSON that it reads, a {@link Volley}, it answers with one: how often each outcome came.
 */
import { createInterface } from 'node:readline'
import type { ReplayPolicy } from '../../src/core/profile.js'
import { hashToken } from '../../src/core/token.js'
import { redisState } from '../../src/server/redis.js'
import { Clock, peers, requestWith, schemeFor } from './guarded.js'
import { clients, type ClientName } from './redis-clients.js'
import { signedAgent } from './signed-headers.js'

/** Requests of alice, all at once and all at one instant. */
export interface Volley {
  /** In milliseconds. */
  readonly at: number
  /** Of plain requests. */
  readonly codes: readonly string[]
  /** All header fields of signed GET requests. */
  readonly signed?: readonly Readonly<Record<string, string>>[]
  /** Whether they come with her other token, as after a rotation. */
  readonly rotated?: boolean
}

/** `accepted`, or the reason of a refusal, and how often it came. */
export type Tally = Readonly<Record<string, number>>

const rotatedToken = `${peers.alice.token}-rotated`

async function main([name, port, prefix, replay]: readonly string[]): Promise<void> {
  const clock = new Clock()
  const client = await clients[name as ClientName](Number(port))
  /** Her only token that is live. */
  let live = peers.alice.token
  const { scheme } = schemeFor(clock, {
    delegate: {
      authenticateToken: () => ({ peer: 'alice' }),
      liveTokens: () => [hashToken(live)],
    },
    replay: replay as ReplayPolicy,
    signed: 'accept',
    agent: signedAgent,
    state: redisState(client.port, { prefix: prefix ?? '', now: clock.now, timeoutMs: 20_000 }),
  })
  for await (const line of createInterface({ input: process.stdin })) {
    const { at, codes, signed = [], rotated = false } = JSON.parse(line) as Volley
    clock.at = new Date(at)
    live = rotated ? rotatedToken : peers.alice.token
    const Authorization = `Bearer ${live}`
    const tally: Record<string, number> = {}
    const requests = [
      ...codes.map((code) => requestWith({ Authorization, 'X-TOTP': code })),
      ...signed.map((fields) => ({ ...requestWith(fields), method: 'GET' })),
    ]
    await Promise.all(
      requests.map(async (request) => {
        const { refusal } = await scheme.authenticate(request)
        const outcome = refusal?.reason ?? 'accepted'
        tally[outcome] = (tally[outcome] ?? 0) + 1
      }),
    )
    process.stdout.write(`${JSON.stringify(tally)}\n`)
  }
  client.close()
}

void main(process.argv.slice(2))
