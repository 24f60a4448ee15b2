import { setTimeout as sleep } from 'node:timers/promises'
import { plainFetch } from '../../../src/client/http/plain-http.js'
import { TOTPClientAuthScheme, totpFetch } from '../../../src/client/index.js'
import { isTOTPError } from '../../../src/core/errors.js'
import type { Captured } from './bad-callers.js'
import type { Refusal } from './excuses.js'
import { grpcCaller } from './grpc-lane.js'
import type { Pace } from './pace.js'
import { clocksOf, fileOf, isPlain, soakPeers, type Lane, type Plant } from './plant.js'
import { add, type SoakRecord } from './record.js'

/** How a call ended: served, aborted by its caller, or refused. */
export type Ended =
  | { readonly kind: 'served' | 'aborted' }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly detail: string; readonly begun?: boolean }

/** Sends a call with that id. The signal aborts it. */
export type Caller = (id: string, signal: AbortSignal, streamMs?: number) => Promise<Ended>

export interface Load {
  readonly plant: Plant
  readonly record: SoakRecord
  readonly pace: Pace
  readonly random: (limit: number) => number
  /** Receives a call that was served, and may not be served again. */
  readonly capture: (captured: Captured) => void
  /** Hears of a stream that came to its end, with the token that opened it and when. */
  readonly streamed: (lane: Lane, authorization: string, from: number) => void
}

/** Each peer over JSON-RPC; ann's and pip's streams; gRPC of eli and pip. */
export const lanes: readonly Lane[] = soakPeers.flatMap((peer): Lane[] => {
  const way = peer.name === 'pip' ? 'proxied' : 'direct'
  const lane = (kind: Lane['kind']): Lane => ({
    name: `${way === 'proxied' ? 'proxy' : peer.target} ${peer.name} ${kind}`,
    ...{ peer, way, kind },
  })
  const streams = peer.name === 'pip' || peer.name === 'ann'
  const speaksGrpc = peer.name === 'pip' || peer.name === 'eli'
  return [lane('call'), ...(streams ? [lane('stream')] : []), ...(speaksGrpc ? [lane('grpc')] : [])]
})

let calls = 0

/** Calls again and again until the soak is over. */
export async function runLane(load: Load, lane: Lane): Promise<void> {
  const { record, pace, random } = load
  const { caller, close } = lane.kind === 'grpc' ? grpcCaller(load, lane) : httpCaller(load, lane)
  const isOncePlain = lane.peer.replay === 'once' && isPlain(lane.peer)
  const aborts = !isOncePlain && lane.kind !== 'grpc'
  const one = async (): Promise<void> => {
    const id = `good-${lane.name.replaceAll(' ', '-')}-${calls++}`
    const abort = new AbortController()
    const streamMs = lane.kind === 'stream' && lane.peer.target === 'gate' ? streamTime(random) : undefined
    const timer =
      aborts && random(20) === 0 ? setTimeout(() => abort.abort(), random(streamMs ?? 25)) : undefined
    const from = Date.now()
    const ended = await caller(id, abort.signal, streamMs)
    clearTimeout(timer)
    if (ended.kind === 'served') record.serve(lane.name, from)
    else if (abort.signal.aborted) add(record.aborted, lane.name)
    else if (ended.kind === 'refused') {
      const { refusal, detail, begun = false } = ended
      record.refuse({ lane, refusal, detail, from, until: Date.now(), begun })
    }
  }
  while (!pace.isOver) {
    // Streams and calls that wait for a time step of their own are not waited for.
    if (lane.kind === 'stream' || isOncePlain) {
      await pace.turn()
      await Promise.race([one(), whenOver(pace)])
    } else await pace.call(one)
    await sleep(50 + random(300))
  }
  close()
}

async function whenOver(pace: Pace): Promise<void> {
  while (!pace.isOver) await sleep(100)
}

/** Most are short; some outlive an overlap. */
const streamTime = (random: Load['random']): number =>
  random(4) === 0 ? 5000 + random(30_000) : 200 + random(1500)

function httpCaller(load: Load, lane: Lane): { caller: Caller; close: () => void } {
  const { plant, random } = load
  const { peer } = lane
  const place = lane.way === 'proxied' ? 'proxy' : peer.target
  const url = plant.rpc[place]
  const scheme = TOTPClientAuthScheme.fromFile(fileOf(plant, peer), {
    now: clocksOf(plant, lane).client.now,
    sign: isPlain(peer) ? 'never' : 'auto',
    maxWaitMs: 120_000,
    onWarning: () => undefined,
  })
  const caller: Caller = async (id, signal, streamMs) => {
    let sent: RequestInit = {}
    const tapped: typeof fetch = (to, init = {}) => {
      sent = init
      return plainFetch(to, init)
    }
    const fetching =
      lane.way === 'proxied'
        ? plainFetch
        : totpFetch(scheme, { origins: [new URL(url).origin], fetch: tapped })
    const body = peer.target === 'demo' ? demoCall(lane, id) : JSON.stringify({ id, streamMs })
    const headers = { 'content-type': 'application/json', 'a2a-version': '1.0' }
    let begun = false
    const from = Date.now()
    const sentHeaders = (): Record<string, string> => sent.headers as Record<string, string>
    try {
      const response = await fetching(url, { method: 'POST', headers, body, signal })
      begun = response.ok
      const text = await response.text()
      if (!response.ok) return refusedWith(response, text)
      if (!isAnswer(lane, id, text, streamMs !== undefined)) {
        load.record.fail(`${lane.name}: another answer than its own: ${text.slice(0, 200)}`)
      }
      const isSpent = peer.replay === 'once' || !isPlain(peer)
      if (lane.way === 'direct' && isSpent && random(10) === 0)
        load.capture({ peer, id, url, headers: sentHeaders(), body, at: Date.now() })
      if (lane.way === 'direct' && streamMs !== undefined) {
        load.streamed(lane, sentHeaders()['authorization'] ?? '', from)
      }
      return { kind: 'served' }
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' }
      const spent = isTOTPError(error) && error.code === 'ERR_STEP_SPENT'
      const detail =
        error instanceof Error
          ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`
          : String(error)
      const refusal = spent ? 'spent' : isTOTPError(error) ? 'other' : 'cut'
      return { kind: 'refused', refusal, detail, begun }
    }
  }
  return { caller, close: () => scheme.close() }
}

function demoCall({ kind }: Lane, id: string): string {
  const method = kind === 'stream' ? 'SendStreamingMessage' : 'SendMessage'
  const params = { message: { messageId: id, role: 'ROLE_USER', parts: [{ text: id }] } }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
}

/** Whether the answer is whole, for that call, and for that caller. */
function isAnswer({ peer, kind }: Lane, id: string, text: string, isLong: boolean): boolean {
  if (peer.target === 'demo') {
    const last = kind === 'stream' ? text.includes('TASK_STATE_COMPLETED') : true
    return last && text.includes(`${peer.name} said: ${id}`)
  }
  return isLong
    ? text.startsWith(`data: ${peer.name} ${id}\n`) && text.endsWith('data: last\n\n')
    : text === JSON.stringify({ caller: peer.name, id })
}

function refusedWith({ status, headers }: Response, text: string): Ended {
  const known: Readonly<Record<number, Refusal>> = {
    401: headers.has('retry-after') ? 'spent' : '401',
    ...{ 429: '429', 502: '502', 503: '503', 504: '502' },
  }
  return { kind: 'refused', refusal: known[status] ?? 'other', detail: `${status} ${text.slice(0, 200)}` }
}
