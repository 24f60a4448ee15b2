import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { BearerTokenAuth, TOTPClientAuthScheme, totpFetch } from '../../src/client/index.js'
import { tallyEvents, type EventTally } from '../../src/doctor/event-tally.js'
import { makeStore, parseJson, runBinary } from '../support/cli.js'
import { SidecarProcess, startStreamingAgent } from '../support/gate-process.js'

type Sign = 'auto' | 'never'

/** A gate of the built binary for the store in a folder, and a client of alice's. */
async function gateFor(cwd: string) {
  await runBinary(['config', 'server', '--out', 'server.json'], { cwd })
  const agent = await startStreamingAgent()
  const gate = new SidecarProcess(
    [
      ...['gate', '--json', '--log', 'json', '--server-file', 'server.json', '--upstream', agent.url],
      ...['--listen', '127.0.0.1:0', '--authz', '127.0.0.1:0'],
    ],
    cwd,
  )
  const { gate: url = '', authz = '' } = await gate.urls()
  const client = parseJson(await runBinary(['config', 'client', 'alice', '--format', 'json'], { cwd }))
  const scheme = (sign: Sign): TOTPClientAuthScheme =>
    new TOTPClientAuthScheme({
      delegate: new BearerTokenAuth(String(client['token'])),
      seed: String(client['seed']),
      agent: String(client['agent']),
      sign,
    })
  /** Makes a call, which something on its way sends on; resolves once the line of the call is there. */
  const callBy = async (sign: Sign, onTheWay: typeof fetch): Promise<object> => {
    const from = gate.said.length
    const post = totpFetch(scheme(sign), { fetch: onTheWay })
    const response = await post(`${url}/a2a`, { method: 'POST', body: '{}' })
    await response.text()
    return { status: response.status, line: await gate.hasLogged(({ event }) => event === 'call', from) }
  }
  const call = (
    sign: Sign,
    { path = '/a2a', body }: { path?: string; body?: string } = {},
  ): Promise<object> =>
    callBy(sign, (_, init) => fetch(`${url}${path}`, { ...init, ...(body !== undefined && { body }) }))
  /** By way of a front, which asks about the head of the request alone. */
  const callFront = (sign: Sign): Promise<object> =>
    callBy(sign, (_, init) => {
      const headers = new Headers(init?.headers)
      headers.set('X-Forwarded-Method', 'POST')
      headers.set('X-Forwarded-Uri', '/a2a')
      return fetch(`${authz}/auth/caddy`, { headers })
    })
  const stop = async (): Promise<string> => {
    gate.child.kill('SIGTERM')
    await gate.ended()
    return `${gate.said.join('\n')}\n`
  }
  return { call, callFront, stop }
}

describe('the log of a gate, read by doctor --events', () => {
  it('says under observe that a peer signs all of its requests', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { call, callFront, stop } = await gateFor(cwd)
    const signed = {
      status: 200,
      line: { result: 'accepted', peer: 'alice', proof: 'plain', shown: 'valid' },
    }
    expect(await call('auto')).toMatchObject(signed)
    expect(await call('auto')).toMatchObject(signed)
    expect(await callFront('auto')).toMatchObject(signed)
    writeFileSync(join(cwd, 'gate.log'), await stop())
    const run = await runBinary(['doctor', '--events', 'gate.log'], { cwd })
    expect(run.stdout).toMatch(
      /^note {2}signed-ready {2}alice: signed all of its 3 requests on \S+; fix: a2a-totp set alice --signed require$/m,
    )
    expect(run.stderr).toMatch(/^\d+ lines read, 3 events with proofs of these peers$/m)
  })

  it('says which requests were plain and why proofs are invalid, also among other lines', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { call, callFront, stop } = await gateFor(cwd)
    await call('auto')
    expect(await call('never')).toMatchObject({ line: { proof: 'plain', shown: 'absent' } })
    expect(await callFront('never')).toMatchObject({ line: { proof: 'plain', shown: 'absent' } })
    expect(await call('auto', { path: '/other' })).toMatchObject({
      status: 200,
      line: { proof: 'plain', shown: 'invalid', proofReason: 'proof-mac' },
    })
    expect(await call('auto', { body: '[]' })).toMatchObject({ status: 200, line: { shown: 'valid' } })
    const event = { type: 'authenticated', at: '2026-11-24T00:00:00.000Z', peer: 'alice', proof: 'valid' }
    const log = (await stop()).replaceAll(/^/gm, 'gate-1  | ')
    const stdin = `starting\n${JSON.stringify(event)}\n${log}\n`
    const { stdout } = await runBinary(['doctor', '--events', '-'], { cwd, stdin })
    expect(stdout).toContain(
      'signed-partly  alice: sent 2 of its 6 requests without a proof from 2026-11-24 to',
    )
    expect(stdout).toContain(
      'signed-invalid  alice: 2 of its 6 requests had an invalid proof from 2026-11-24 to',
    )
    expect(stdout).toContain('(proof-mac 1, proof-digest 1)')
    expect(stdout).toContain('fix: proof-mac: something on the way changes the path')
  })

  it('says under accept what was refused', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    await runBinary(['set', '--replay', 'once', '--signed', 'accept'], { cwd })
    const { call, stop } = await gateFor(cwd)
    expect(await call('auto')).toMatchObject({ line: { proof: 'signed', shown: 'valid' } })
    expect(await call('auto', { path: '/other' })).toMatchObject({
      status: 401,
      line: { result: 'refused', reason: 'proof-mac', shown: 'invalid', proofReason: 'proof-mac' },
    })
    const { stdout } = await runBinary(['doctor', '--events', '-'], { cwd, stdin: await stop() })
    expect(stdout).not.toContain('signed-ready')
    expect(stdout).toContain('signed-refused  alice: 1 request with its token had an invalid proof')
  })

  it('says nothing of proofs under off', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    await runBinary(['set', '--signed', 'off'], { cwd })
    const { call, stop } = await gateFor(cwd)
    expect(await call('auto')).not.toHaveProperty('line.shown')
    await stop()
  })
})

describe('a line of a sidecar', () => {
  const call = {
    time: '2026-11-24T00:00:00.000Z',
    level: 'info',
    event: 'call',
    role: 'gate',
    result: 'accepted',
    peer: 'alice',
    proof: 'plain',
    shown: 'valid',
  }
  const tally = (...lines: readonly object[]): Promise<EventTally> =>
    tallyEvents(
      Readable.from(lines.map((line) => Buffer.from(`${JSON.stringify(line)}\n`))),
      new Set(['alice']),
    )

  it('is about a proof where a gate decided, and has seen what it was worth', async () => {
    const found = await tally(
      call,
      { ...call, role: 'authz' },
      { ...call, role: 'authz-grpc', shown: 'absent' },
      { ...call, shown: undefined },
      { ...call, result: 'anyone', peer: undefined, shown: undefined },
      { ...call, result: 'refused', reason: 'code-wrong' },
      { ...call, result: 'refused', reason: 'proof-missing', shown: 'absent' },
      { ...call, peer: 'mallory' },
      { time: call.time, level: 'info', event: 'listening', message: 'gate' },
    )
    expect(found).toMatchObject({ lines: 9, counted: 3, unknown: 1, foreign: 0 })
    expect(found.peers.get('alice')).toMatchObject({ valid: 2, absent: 1, first: new Date(call.time) })
  })

  it('is no event where a proxy passed a call on, or where it only looks like one', async () => {
    const found = await tally(
      { ...call, role: 'proxy', result: 'passed', proof: 'signed' },
      { ...call, role: ['gate'] },
      { ...call, time: 1 },
      { ...call, event: {} },
    )
    expect(found).toMatchObject({ lines: 4, counted: 0, foreign: 4 })
  })

  it('is one request with the line about its body, whichever comes first', async () => {
    const observed = {
      time: call.time,
      level: 'info',
      event: 'proof_observed',
      peer: 'alice',
      proof: 'invalid',
      proofReason: 'proof-digest',
    }
    for (const lines of [
      [observed, call, call],
      [call, call, observed],
    ]) {
      const found = await tally(...lines)
      expect(found.peers.get('alice')).toMatchObject({ valid: 1, invalid: new Map([['proof-digest', 1]]) })
    }
    expect((await tally(observed)).peers.get('alice')).toMatchObject({ valid: 0 })
  })
})
