import { renameSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { totpGuard } from '../../src/server/node.js'
import { parseJson, runBinary } from './cli.js'

/** What a client was handed. */
interface Credentials {
  readonly token: string
  readonly seed: Seed
}

/** One request of the load: with which credentials, when, and how it ended. */
interface Answer {
  readonly old: boolean
  readonly sentAt: number
  readonly receivedAt: number
  /** 0 when there was none. */
  readonly status: number
}

export interface RotationReport {
  readonly requests: number
  readonly perSecond: number
  /** Requests with the new credentials, and with the old ones before their end, that were not served. */
  readonly refused: number
  /** Requests with the old credentials, sent after their end, that were not refused. */
  readonly servedLate: number
  /** Those that were. */
  readonly refusedLate: number
  /** From the end of the old credentials to the first request that was refused. */
  readonly firstRefusalMs: number
}

/** A real HTTP server that follows a server file under policy `reuse`; it calls back for each file in force. */
async function serve(
  file: string,
): Promise<{ url: string; inForce: () => Promise<void>; stop: () => Promise<void> }> {
  let loaded: () => void = () => undefined
  const scheme = TOTPServerAuthScheme.fromFile(file, {
    onEvent: ({ type }) => {
      if (type === 'server_file_loaded') loaded()
    },
  })
  const server = createServer(totpGuard(scheme, (_, res) => res.end('in')))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    inForce: () => new Promise<void>((done) => (loaded = done)),
    stop: async () => {
      scheme.close()
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/**
 * Rotates a peer's credentials with the built CLI, as its operator would, while requests come in at a steady rate: first
 * with the old credentials, then with old, new and mixed ones in turn, until some time after the old ones have ended.
 *
 * @param cwd a folder with a store that has the peer
 * @param flags what is rotated, and how long the old ones live on
 */
export async function rotationStorm(
  cwd: string,
  { peer, flags, perSecond }: { peer: string; flags: readonly string[]; perSecond: number },
): Promise<RotationReport> {
  const run = async (...args: string[]): Promise<Record<string, unknown>> => {
    const result = await runBinary([...args, '--json'], { cwd })
    if (result.exitCode !== 0) throw new Error(result.stderr)
    return result.stdout === '' ? {} : parseJson(result)
  }
  const credentials = async (): Promise<Credentials> => {
    const { token, seed } = await run('config', 'client', peer, '--format', 'json')
    return { token: String(token), seed: Seed.fromBase32(String(seed)) }
  }
  const file = join(cwd, 'server.json')
  const publish = async (): Promise<void> => {
    await run('config', 'server', '--out', 'server.json.new')
    renameSync(`${file}.new`, file)
  }

  await publish()
  const { url, inForce, stop } = await serve(file)
  const before = await credentials()
  let inUse: readonly (Credentials & { readonly old: boolean })[] = [{ ...before, old: true }]
  const answers: Answer[] = []
  const open = new Set<Promise<void>>()
  const send = async (): Promise<void> => {
    const sender = inUse[answers.length % inUse.length] ?? { ...before, old: true }
    const now = new Date()
    const headers = {
      Authorization: `Bearer ${sender.token}`,
      'X-TOTP': generateCode(sender.seed, defaultProfile, now),
    }
    const status = await fetch(url, { headers }).then(
      async (response) => (await response.text(), response.status),
      () => 0,
    )
    answers.push({ old: sender.old, sentAt: now.getTime(), receivedAt: Date.now(), status })
  }
  const begin = performance.now()
  let sent = 0
  const load = setInterval(() => {
    // As many as are due by now: a timer of a busy machine comes late.
    for (; sent < ((performance.now() - begin) / 1000) * perSecond; sent++) {
      const request = send()
      open.add(request)
      void request.then(() => open.delete(request))
    }
  }, 1000 / perSecond)
  try {
    await sleep(500)
    await run('rotate', peer, ...flags)
    const loaded = inForce()
    const published = Date.now()
    await publish()
    await loaded
    const end = (await endOf(run, peer)) ?? { served: published, refused: Date.now() }
    const after = await credentials()
    inUse = [
      { ...before, old: true },
      { ...after, old: false },
      { token: before.token, seed: after.seed, old: before.token !== after.token },
      { token: after.token, seed: before.seed, old: before.seed.base32 !== after.seed.base32 },
    ]
    await sleep(Math.max(0, end.refused - Date.now()) + 2000)
    clearInterval(load)
    await Promise.all(open)
    return reportOf(answers, end, (performance.now() - begin) / 1000)
  } finally {
    clearInterval(load)
    await Promise.allSettled(open)
    await stop()
  }
}

/** Until when the old credentials have to be served, and from when on refused. */
interface End {
  readonly served: number
  readonly refused: number
}

/** Undefined when nothing is superseded any more. */
async function endOf(
  run: (...args: string[]) => Promise<Record<string, unknown>>,
  peer: string,
): Promise<End | undefined> {
  const { peers } = (await run('show', peer)) as {
    peers: { seeds: { expiresAt: string | null }[]; tokens: { expiresAt: string | null }[] }[]
  }
  const all = peers.flatMap(({ seeds, tokens }) => [...seeds, ...tokens])
  const [end] = all.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [Date.parse(expiresAt)]))
  return end === undefined ? undefined : { served: end, refused: end }
}

function reportOf(answers: readonly Answer[], end: End, seconds: number): RotationReport {
  const late = answers.filter(({ old, sentAt }) => old && sentAt >= end.refused)
  const inTime = answers.filter(({ old, receivedAt }) => !old || receivedAt < end.served)
  const refusals = late.filter(({ status }) => status === 401 || status === 429)
  return {
    requests: answers.length,
    perSecond: answers.length / seconds,
    refused: inTime.filter(({ status }) => status !== 200).length,
    servedLate: late.length - refusals.length,
    refusedLate: refusals.length,
    firstRefusalMs: Math.min(...refusals.map(({ sentAt }) => sentAt - end.refused)),
  }
}
