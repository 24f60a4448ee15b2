import { describe, expect, it } from 'vitest'
import type { ServerFileInForce } from '../../../src/server/index.js'
import { sidecarLog } from '../../../src/sidecar/observe/log.js'
import { observeGate, observeProxy, type Observation } from '../../../src/sidecar/observe/observer.js'
import type { AgentState } from '../../../src/sidecar/observe/proxy-metrics.js'
import type { SidecarCall } from '../../../src/sidecar/sidecar.js'
import {
  bearerOf,
  Clock,
  headersOf,
  requestWith,
  schemeFor,
  secondLooks,
  wrongCodeOf,
} from '../../support/guarded.js'
import { parseOpenmetrics } from '../../support/openmetrics.js'

const at = new Date('2026-11-30T12:00:00Z')
const silent = sidecarLog({ format: 'json', write: () => undefined })
const fileOf = (...names: string[]): ServerFileInForce => ({
  path: '/run/server.json',
  serial: 7,
  loadedAt: at,
  peers: new Set(names),
  canaries: 2,
})

const call: SidecarCall = { role: 'gate', outcome: undefined, path: '/', status: '200', durationMs: 1 }

/** The samples of an observation, as `name{label="value"} value`. */
function samplesOf(observation: Observation): Readonly<Record<string, number>> {
  const samples = parseOpenmetrics(observation.metrics(), ['counter', 'gauge', 'histogram', 'info'])
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => {
      const words = Object.entries(labels).map(([label, text]) => `${label}=${text}`)
      return [[name.replace(/^a2a_totp_/, ''), ...words].join(' '), value]
    }),
  )
}

describe('the metrics of a gate', () => {
  it('count what a scheme decided, by reason and peer', async () => {
    const clock = new Clock()
    const gate = observeGate({
      log: silent,
      version: '1.2.3',
      serverFile: () => fileOf('alice', 'bob'),
      agent: () => 'billing',
    })
    const { scheme } = schemeFor(clock, { onEvent: (event) => gate.event(event) })
    const ask = (fields: Record<string, string>): Promise<unknown> => scheme.authenticate(requestWith(fields))
    await ask(headersOf('alice', clock.at))
    await ask(headersOf('alice', new Date(clock.at.getTime() - 30_000)))
    await ask({})
    await ask({ Authorization: 'Bearer unknown-token-of-a-stranger-1234567890', 'X-TOTP': '123456' })
    await ask({ Authorization: bearerOf('bob') })
    for (let n = 0; n < 6; n++)
      await ask({ Authorization: bearerOf('bob'), 'X-TOTP': wrongCodeOf(clock.at, n) })
    await secondLooks()
    expect(samplesOf(gate)).toMatchObject({
      'gate_decisions_total binding=http result=accepted reason=accepted': 2,
      'gate_decisions_total binding=http result=refused reason=token-missing': 1,
      'gate_decisions_total binding=http result=refused reason=token-refused': 1,
      'gate_decisions_total binding=http result=refused reason=code-missing': 1,
      'gate_decisions_total binding=http result=refused reason=code-wrong': 5,
      'gate_decisions_total binding=http result=throttled reason=guesses-exhausted': 1,
      'gate_peer_decisions_total peer=alice result=accepted': 2,
      'gate_peer_decisions_total peer=bob result=refused': 6,
      'gate_peer_decisions_total peer=bob result=throttled': 1,
      'gate_peer_last_success_timestamp_seconds peer=alice': clock.at.getTime() / 1000,
      'gate_peer_drift_steps peer=alice': -1,
      'gate_peer_budget_exhausted_total peer=bob': 1,
      'gate_peer_budget_exhausted_total peer=alice': 0,
      'gate_build_info version=1.2.3': 1,
      gate_canaries: 2,
      gate_server_file_serial: 7,
      gate_server_file_loaded_timestamp_seconds: at.getTime() / 1000,
    })
  })

  it('have no label from a stranger, and forget a peer that has left the file', () => {
    let file = fileOf('alice', 'bob')
    const gate = observeGate({ log: silent, version: '1', serverFile: () => file, agent: () => undefined })
    const letIn = (peer: string): void =>
      gate.event({ type: 'authenticated', at, binding: 'grpc', peer, seedId: 's', timeStep: 1, drift: 0 })
    for (const peer of ['alice', 'bob', 'mallory', '"} 1\n# EOF']) letIn(peer)
    gate.call({ ...call, status: '799' })
    gate.call({ ...call, status: 'x"} 1' })
    const before = samplesOf(gate)
    expect(before).toMatchObject({
      'gate_peer_decisions_total peer=other result=accepted': 2,
      'gate_requests_total role=gate status=other': 2,
    })
    expect(Object.keys(before).filter((key) => key.startsWith('gate_peer_last'))).toHaveLength(2)
    file = fileOf('bob')
    gate.event({ type: 'server_file_loaded', at, path: '/f', serial: 8 })
    const after = Object.keys(samplesOf(gate))
    expect(after.filter((key) => key.startsWith('gate_peer_last'))).toEqual([
      'gate_peer_last_success_timestamp_seconds peer=bob',
    ])
  })

  it('count a proof that stands for many', () => {
    const gate = observeGate({
      log: silent,
      version: '1',
      serverFile: () => undefined,
      agent: () => undefined,
    })
    gate.event({ type: 'refused', at, binding: 'http', reason: 'proof-mac', peer: 'alice', count: 41 })
    expect(samplesOf(gate)).toMatchObject({
      'gate_decisions_total binding=http result=refused reason=proof-mac': 41,
    })
  })

  it('show calls, how long they took, and which are open', () => {
    const gate = observeGate({
      log: silent,
      version: '1',
      serverFile: () => undefined,
      agent: () => undefined,
    })
    const first = gate.opened('gate')
    gate.opened('gate')
    first()
    first()
    gate.call({ ...call, decisionMs: 0.3, upstreamMs: 40 })
    gate.call({ ...call, status: '502', own: 'upstream-unreachable' })
    gate.call({ ...call, status: '200 (cut off)' })
    gate.call({ ...call, role: 'authz-grpc', status: 'UNAUTHENTICATED' })
    expect(samplesOf(gate)).toMatchObject({
      'gate_open_calls role=gate': 1,
      'gate_requests_total role=gate status=200': 2,
      'gate_requests_total role=gate status=502': 1,
      'gate_requests_total role=authz-grpc status=UNAUTHENTICATED': 1,
      'gate_own_answers_total role=gate reason=upstream-unreachable': 1,
      'gate_cut_answers_total role=gate': 1,
      'gate_decision_seconds_bucket le=0.00025': 0,
      'gate_decision_seconds_bucket le=0.0005': 1,
      'gate_upstream_seconds_bucket role=gate le=0.025': 0,
      'gate_upstream_seconds_bucket role=gate le=0.05': 1,
      'gate_upstream_seconds_count role=gate': 1,
    })
    expect(gate.status()).toMatchObject({ openCalls: 1 })
  })
})

describe('the status of a gate', () => {
  it('has the serial in force and the last file that was refused', () => {
    const gate = observeGate({
      log: silent,
      version: '1.2.3',
      serverFile: () => fileOf('alice'),
      agent: () => 'billing',
      now: () => at,
    })
    expect(gate.status()).toEqual({
      role: 'gate',
      agent: 'billing',
      serial: 7,
      lastRefusal: null,
      serverFile: { path: '/run/server.json', loadedAt: at, peers: 1, canaries: 2 },
      version: '1.2.3',
      startedAt: at,
      draining: false,
      openCalls: 0,
    })
    const refused = { path: '/f', code: 'ERR_CONFIG_INVALID', message: 'peers.alice: no seed' } as const
    gate.event({ type: 'server_file_refused', at, ...refused })
    gate.event({ type: 'draining', at })
    expect(gate.status()).toMatchObject({ lastRefusal: { at, ...refused }, draining: true })
  })
})

describe('a proxy', () => {
  const agent: AgentState = {
    agent: 'billing',
    peer: 'alice',
    queueLength: 3,
    breakerOpen: true,
    lastSuccessAt: at,
    clockSeconds: -42,
  }

  it('counts trips of each breaker from the start', () => {
    const proxy = observeProxy({ log: silent, version: '1', agents: () => [agent] })
    proxy.event({
      type: 'listening',
      at,
      listener: { role: 'proxy', url: 'http://127.0.0.1:1', agent: 'billing' },
    })
    expect(samplesOf(proxy)).toMatchObject({ 'proxy_breaker_trips_total agent=billing': 0 })
  })

  it('shows its queues, its breakers and the clocks of its agents', () => {
    const other = { agent: 'search', peer: 'bob', queueLength: 0, breakerOpen: false }
    const proxy = observeProxy({ log: silent, version: '1', agents: () => [agent, other] })
    proxy.call({ ...call, role: 'proxy', agent: 'billing', waitedMs: 200 })
    proxy.event({ type: 'breaker_opened', at, agent: 'billing', peer: 'alice', advice: 'rotate' })
    proxy.event({ type: 'credentials_loaded', at, agent: 'search', peer: 'bob' })
    proxy.event({
      type: 'credentials_refused',
      at,
      agent: 'unheard-of',
      code: 'ERR_CONFIG_INVALID',
      message: 'x',
    })
    const samples = samplesOf(proxy)
    expect(samples).toMatchObject({
      'proxy_queue_length agent=billing': 3,
      'proxy_queue_length agent=search': 0,
      'proxy_breaker_open agent=billing': 1,
      'proxy_breaker_open agent=search': 0,
      'proxy_breaker_trips_total agent=billing': 1,
      'proxy_last_success_timestamp_seconds agent=billing': at.getTime() / 1000,
      'proxy_clock_difference_seconds agent=billing': -42,
      'proxy_queue_wait_seconds_bucket agent=billing le=0.1': 0,
      'proxy_queue_wait_seconds_bucket agent=billing le=0.25': 1,
      'proxy_credential_loads_total agent=search result=loaded': 1,
      'proxy_credential_loads_total agent=other result=refused': 1,
    })
    expect(samples).not.toHaveProperty('proxy_last_success_timestamp_seconds agent=search')
    expect(proxy.status()).toMatchObject({
      role: 'proxy',
      lastRefusal: { code: 'ERR_CONFIG_INVALID' },
      agents: [
        {
          agent: 'billing',
          peer: 'alice',
          queueLength: 3,
          breakerOpen: true,
          lastSuccessAt: at,
          clockSeconds: -42,
        },
        { agent: 'search', peer: 'bob', breakerOpen: false, lastSuccessAt: null },
      ],
    })
  })
})
