import { request, Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultProfile } from '../../../src/core/profile.js'
import { timeStepAt } from '../../../src/core/totp.js'
import { codeAt, handedIn, wrongCode, type Handed } from './credentials.js'
import type { Load } from './lanes.js'
import { clocksOf, fileOf, soakPeers, type Plant, type SoakPeer, type Target } from './plant.js'
import { add } from './record.js'

/** A good call that was served once, as it was sent. */
export interface Captured {
  readonly peer: SoakPeer
  readonly id: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly at: number
}

/** Credentials of a peer before a rotation, and when they ended: instants of the agent's clock, Infinity for what stayed. */
export interface Superseded {
  readonly peer: SoakPeer
  readonly handed: Handed
  readonly tokenEnds: number
  readonly seedEnds: number
}

export interface Loot {
  readonly captured: Captured[]
  readonly superseded: Superseded[]
}

/** A call that may not be served, unless the agent's clock makes it a good one. */
interface BadCall {
  readonly fields: readonly string[]
  readonly url?: string
  readonly body?: string
  /** Whether what the agent's clock showed while it was under way made it a good call. */
  readonly isGood?: (shown: { earliest: number; latest: number }) => boolean
}

interface Attack {
  readonly plant: Plant
  readonly peer: SoakPeer
  readonly own: Handed
  readonly loot: Loot
  readonly random: (limit: number) => number
  readonly id: string
}

const stepMs = defaultProfile.period * 1000
const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`]
const both = (token: string, code: string): string[] => [...bearer(token), 'X-TOTP', code]
const pick = <T>(random: Attack['random'], from: readonly T[]): T | undefined => from[random(from.length)]

/** A code of another time step is good if the agent's clock shows one beside it. */
function ofStep(handed: Handed, drift: number): BadCall {
  const at = new Date()
  const step = timeStepAt(handed.profile, at) + drift
  return {
    fields: both(handed.token, codeAt(handed, at, drift)),
    isGood: ({ earliest, latest }) =>
      step >= Math.floor(earliest / stepMs) - 1 && step <= Math.floor(latest / stepMs) + 1,
  }
}

/** A captured call, sent again: as it was, without its proof, or with another body. */
function again({ loot, random, id, peer }: Attack): BadCall | undefined {
  const captured = pick(
    random,
    loot.captured.filter((one) => one.peer === peer),
  )
  if (!captured) return undefined
  const { url, headers, body } = captured
  const isProof = (name: string): boolean => /^(signature|signature-input|content-digest)$/i.test(name)
  const fieldsOf = (kept: (name: string) => boolean): string[] =>
    Object.entries(headers).flatMap(([name, value]) => (kept(name) ? [name, value] : []))
  const hasProof = Object.keys(headers).some(isProof)
  // Under reuse and accept a code may be taken off its proof: SECURITY.md says so.
  const strippedIsBad = peer.replay === 'once' || peer.signed === 'require'
  const ways: BadCall[] = [{ url, body, fields: fieldsOf(() => true) }]
  if (hasProof) ways.push({ url, body: body.replaceAll(captured.id, id), fields: fieldsOf(() => true) })
  if (hasProof && strippedIsBad) ways.push({ url, body, fields: fieldsOf((name) => !isProof(name)) })
  return pick(random, ways)
}

function superseded({ loot, random, peer, own }: Attack): BadCall | undefined {
  const old = pick(
    random,
    loot.superseded.filter((one) => one.peer === peer),
  )
  if (!old) return undefined
  const { handed, tokenEnds, seedEnds } = old
  const pairs: readonly [token: Handed, seed: Handed, ends: number][] = [
    [handed, handed, Math.min(tokenEnds, seedEnds)],
    [handed, own, tokenEnds],
    [own, handed, seedEnds],
  ]
  const pair = pick(
    random,
    pairs.filter(([, , ends]) => ends < Infinity),
  )
  if (!pair) return undefined
  const [{ token }, seed, ends] = pair
  return { fields: both(token, codeAt(seed, new Date())), isGood: ({ earliest }) => earliest <= ends }
}

const garbage: readonly ((handed: Handed) => string[])[] = [
  ({ token }) => both(token, ''),
  ({ token }) => both(token, '１２３４５６７８'.slice(0, 8).replace(/./gu, 'é')),
  ({ token }) => both(token, '+1234567'),
  ({ token }) => both(token, '9'.repeat(4000)),
  (handed) => [...both(handed.token, codeAt(handed, new Date())), 'X-TOTP', codeAt(handed, new Date())],
  (handed) => [...bearer(handed.token), ...both(handed.token, codeAt(handed, new Date()))],
  (handed) => both(`${handed.token}x`, codeAt(handed, new Date())),
  (handed) => ['Authorization', `Basic ${handed.token}`, 'X-TOTP', codeAt(handed, new Date())],
  (handed) => ['Authorization', handed.token, 'X-TOTP', codeAt(handed, new Date())],
  ({ token }) => [...both(token, '0'.repeat(8)), 'Signature-Input', 'a2a=("@method"', 'Signature', '::'],
]

/** By kind; undefined where there is nothing to try with yet. */
const attacks: Readonly<Record<string, (attack: Attack) => BadCall | undefined>> = {
  nothing: () => ({ fields: [] }),
  'forged name': ({ peer }) => ({ fields: ['TotpPeer', peer.name, 'totp-peer', peer.name] }),
  'token alone': ({ own }) => ({ fields: bearer(own.token) }),
  'code alone': ({ own }) => ({ fields: ['X-TOTP', codeAt(own, new Date())] }),
  'wrong code': ({ own, random }) => ({ fields: both(own.token, wrongCode([own], random)) }),
  'code of another peer': ({ plant, peer, own, random }) => {
    const others = soakPeers.filter((one) => one !== peer && one.digits === peer.digits)
    const other = pick(random, others)
    return other && { fields: both(own.token, codeAt(handedIn(fileOf(plant, other)), new Date())) }
  },
  'unknown token': ({ own, random }) => ({
    fields: both(`a2at_${String(random(10 ** 9)).padEnd(43, 'x')}`, codeAt(own, new Date())),
  }),
  'stale code': ({ own, random }) => ofStep(own, -3 - random(36)),
  'code to come': ({ own, random }) => ofStep(own, 3 + random(36)),
  'sent again': again,
  superseded,
  garbage: ({ own, random }) => {
    const make = pick(random, garbage)
    return make && { fields: make(own) }
  },
}

let sent = 0

/** Attacks an agent until the soak is over. Each attack that is served is a failure. */
export async function runBadCaller(
  { plant, record, pace, random }: Load,
  target: Target,
  loot: Loot,
): Promise<void> {
  const connections = new Agent({ keepAlive: true, maxSockets: 4 })
  const kinds = Object.keys(attacks)
  // Fay has a thief of her own.
  const peers = soakPeers.filter((peer) => peer.target === target && peer.digits === 8)
  while (!pace.isOver) {
    const kind = pick(random, kinds) ?? ''
    const peer = pick(random, peers)
    if (peer) {
      const own = handedIn(fileOf(plant, peer))
      const id = `bad-${sent++}`
      const call = attacks[kind]?.({ plant, peer, own, loot, random, id })
      if (call) await pace.call(() => attack({ plant, record }, peer, kind, id, call, connections))
    }
    await sleep(50 + random(300))
  }
  connections.destroy()
}

/** Guesses fay's code again and again, so that her budget stays exhausted. */
export async function runGuesser({ plant, record, pace, random }: Load): Promise<void> {
  const fay = soakPeers.find(({ name }) => name === 'fay')
  const connections = new Agent({ keepAlive: true, maxSockets: 1 })
  while (fay && !pace.isOver) {
    const own = handedIn(fileOf(plant, fay))
    const call = { fields: both(own.token, wrongCode([own], random)) }
    await pace.call(() =>
      attack({ plant, record }, fay, 'guess of a thief', `bad-${sent++}`, call, connections),
    )
    await sleep(500 + random(1000))
  }
  connections.destroy()
}

async function attack(
  { plant, record }: Pick<Load, 'plant' | 'record'>,
  peer: SoakPeer,
  kind: string,
  id: string,
  { fields, url = plant.rpc[peer.target], body, isGood }: BadCall,
  agent: Agent,
): Promise<void> {
  const { server } = clocksOf(plant, { name: '', peer, way: 'direct', kind: 'call' })
  const content = body ?? (peer.target === 'gate' ? JSON.stringify({ id }) : demoBody(id))
  const from = Date.now()
  const status = await send(url, fields, content, agent)
  const shown = server.shownBetween(from - 100, Date.now() + 100)
  if (status !== 200) add(record.bad, `${kind}: ${status}`)
  else if (isGood?.(shown)) {
    record.madeGood.add(id)
    add(record.bad, `${kind}: valid by the agent's clock`)
  } else record.fail(`a bad call was served: ${kind} as ${peer.name} at the ${peer.target} (${id})`, from)
}

function demoBody(id: string): string {
  const params = { message: { messageId: id, role: 'ROLE_USER', parts: [{ text: id }] } }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params })
}

/** Sends header lines as they are; the status of the answer, or 0. */
function send(url: string, fields: readonly string[], body: string, agent: Agent): Promise<number> {
  const names = new Set(fields.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()))
  const first = [
    ...['Host', new URL(url).host, 'Content-Length', String(Buffer.byteLength(body))],
    ...(names.has('content-type') ? [] : ['Content-Type', 'application/json']),
    ...(names.has('a2a-version') ? [] : ['A2A-Version', '1.0']),
  ]
  return new Promise((done) => {
    const sending = request(url, { method: 'POST', agent, headers: [...first, ...fields] }, (answer) => {
      answer.resume()
      answer.on('close', () => done(answer.statusCode ?? 0))
    })
    sending.on('error', () => done(0))
    sending.end(body)
  })
}
