import { describe, expect, it, onTestFinished } from 'vitest'
import { TOTPServerAuthScheme } from '../../../src/server/index.js'
import { startReverseProxy } from '../../../src/sidecar/gate/reverse-proxy.js'
import { TrustedProxies } from '../../../src/sidecar/gate/trusted-proxies.js'
import type { SidecarCall } from '../../../src/sidecar/sidecar.js'
import { unobserved } from '../../support/unobserved.js'
import { memoryState } from '../../../src/state/index.js'
import { secondLooks } from '../../support/guarded.js'
import { fieldsOf, record } from '../../support/recording-server.js'
import { sendHttp2, sendRaw } from '../../support/signed-requests.js'
import { serverFileOf, type Run, type Verdict } from '../../support/wire-runs.js'
import vectors from '../../vectors/wire.json' with { type: 'json' }

const ways = { 'HTTP/1.1': sendRaw, 'HTTP/2': sendHttp2 }

/** What a gate makes of the requests of a vector, one after the other, and what the agent behind it saw. */
async function* verdictsOf({ file, since, requests }: Run, send: typeof sendRaw) {
  let at = new Date(since)
  const path = serverFileOf(vectors.files[file as keyof typeof vectors.files])
  const calls: SidecarCall[] = []
  using scheme = TOTPServerAuthScheme.fromFile(path, {
    state: memoryState({ since: at }),
    now: () => at,
    onEvent: () => undefined,
  })
  await using agent = await record()
  const gate = await startReverseProxy({
    scheme,
    listen: { host: '127.0.0.1', port: 0 },
    upstream: new URL(agent.origin),
    card: 'pass',
    publicPaths: [],
    maxHeaderBytes: 64 * 1024,
    headerTimeoutMs: 10_000,
    upstreamTimeoutMs: 0,
    identityHeader: 'TotpPeer',
    asserter: undefined,
    audience: undefined,
    trusted: new TrustedProxies(['127.0.0.1']),
    observer: { ...unobserved, call: (call) => calls.push(call) },
  })
  onTestFinished(() => gate.close())
  const port = Number(new URL(gate.listeners[0]?.url ?? '').port)
  for (const [
    index,
    { headers, source = '192.0.2.1', times = 1, verdict, ...request },
  ] of requests.entries()) {
    at = new Date(request.at)
    const { method = 'POST', target = '/', body = '' } = request
    const lines = headers.map(([name = '', value = '']) => [name, value] as const)
    // HTTP itself takes away what surrounds a value, and refuses control characters in one.
    if (lines.some(([, value]) => /^\s|\s$|[^\P{Cc}]|[^\0-\xff]/u.test(value))) continue
    // Node's own client sends no Authorization twice over HTTP/2.
    const isTwice = lines.filter(([name]) => name.toLowerCase() === 'authorization').length > 1
    if (isTwice && send === sendHttp2) continue
    const sent = {
      method,
      target,
      headers: [...lines, ['X-Forwarded-For', source]] as const,
      body: Buffer.from(body),
    }
    for (let time = 0; time < times; time++) {
      const [before, seenBefore] = [calls.length, agent.requests.length]
      const { status } = await send(port, sent)
      await secondLooks()
      await expect.poll(() => calls.length, { interval: 1 }).toBe(before + 1)
      const seen = agent.requests.slice(seenBefore)
      yield {
        status,
        call: calls.at(-1),
        seen,
        body,
        verdict: (verdict ?? {}) as Verdict,
        where: `request ${index}, time ${time}`,
      }
    }
  }
}

describe.each(Object.entries(ways))('what a gate answers to the vectors over %s', (_, send) => {
  it.each([...vectors.runs, ...vectors.signedRuns])('$name', async (run) => {
    let count = 0
    for await (const { status, call, seen, body, verdict, where } of verdictsOf(run, send)) {
      count++
      expect([status, call?.outcome?.refusal?.reason], where).toEqual([verdict.status ?? 200, verdict.reason])
      expect(
        seen.map((request) => [fieldsOf(request, 'totppeer'), request.body]),
        where,
      ).toEqual(verdict.peer === undefined ? [] : [[[verdict.peer], body]])
      if (verdict.proof !== undefined)
        expect(call?.proof, where).toBe(verdict.proof === 'signed' ? 'signed' : 'plain')
    }
    expect(count).toBeGreaterThan(0)
  })
})
