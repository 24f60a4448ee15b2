import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { probe, type ProbeOptions } from '../../src/probe/index.js'
import { startTestAgent } from '../support/broken-agent.js'
import { alice, findings, midStep, probeOptions, stillClock } from '../support/probing.js'

describe('over plain http beyond loopback', () => {
  // A loopback address to the system, but not one of the names that the probe takes for loopback.
  const beyond = async (insecureHttp: boolean) => {
    const clock = stillClock(midStep)
    const agent = await startTestAgent({ peers: [alice], profile: defaultProfile, now: clock.now })
    try {
      const url = agent.url.replace('127.0.0.1', '[::ffff:127.0.0.1]')
      const report = await probe({ ...probeOptions(url, clock), insecureHttp })
      return { agent, report }
    } finally {
      await agent.close()
    }
  }

  it('nothing authenticated is sent, and tls fails', async () => {
    const { agent, report } = await beyond(false)
    expect(findings(report)).toEqual({ tls: 'fail', coverage: 'fail' })
    expect(agent.requests.flatMap(({ fields }) => fields).join(' ')).not.toMatch(/authorization|x-totp/i)
    expect(report.checks.find(({ id }) => id === 'auth.none')?.status).toBe('pass')
    const valid = report.checks.find(({ id }) => id === 'auth.valid')
    expect(valid?.status).toBe('skip')
    expect(valid?.detail).toContain('--insecure-http')
  })

  it('everything is sent when that is allowed; tls still fails', async () => {
    const { report } = await beyond(true)
    expect(findings(report)).toEqual({ tls: 'fail' })
    expect(report.checks.find(({ id }) => id === 'auth.valid')?.status).toBe('pass')
  })
})

describe('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-tls-'))
  let server: Http2SecureServer
  /** Requests that got through. */
  const seen: string[] = []
  let url: string
  let ca: string

  beforeAll(async () => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate]
    execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' })
    ca = readFileSync(certificate, 'utf8')
    const tls = { key: readFileSync(key), cert: ca, allowHTTP1: true }
    server = createSecureServer(tls, ({ url: path }, response) => {
      seen.push(path)
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="a2a"' }).end()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterEach(() => {
    vi.unstubAllEnvs()
    seen.length = 0
  })

  afterAll(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })

  it('a certificate that nobody vouches for fails tls, not reach', async () => {
    const report = await probe(probeOptions(url, stillClock(midStep)))
    expect(findings(report)).toEqual({ tls: 'fail' })
    expect(report.reachable).toBe(true)
    expect(report.checks.find(({ id }) => id === 'tls')?.actual).toContain('SELF_SIGNED')
  })

  it.each([
    {},
    { only: ['auth.none'] },
    { binding: 'grpc', protocol: '1.0' },
  ] satisfies Partial<ProbeOptions>[])(
    'is insisted on whatever NODE_TLS_REJECT_UNAUTHORIZED says, and nothing is sent: %o',
    async (options) => {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
      const report = await probe({ ...probeOptions(url, stillClock(midStep)), ...options })
      expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
      expect(report.checks.find(({ id }) => id === 'tls')?.status ?? 'fail').toBe('fail')
      expect(seen).toEqual([])
    },
  )

  it.each(['JSONRPC', 'HTTP+JSON', 'GRPC'])(
    'is insisted on for an interface of its own, over %s',
    async (protocolBinding) => {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
      const clock = stillClock(midStep)
      const quirks = {
        card: () => ({
          name: 'x',
          supportedInterfaces: [{ url, protocolBinding, protocolVersion: '1.0' }],
        }),
      }
      const agent = await startTestAgent({ peers: [alice], profile: defaultProfile, now: clock.now, quirks })
      try {
        const allowHosts = [new URL(url).host]
        const report = await probe({ ...probeOptions(agent.url, clock), allowHosts })
        expect(findings(report)).toMatchObject({ tls: 'fail', 'auth.valid': 'fail', coverage: 'fail' })
        expect(report.checks.find(({ id }) => id === 'tls')?.actual).toContain('SELF_SIGNED')
        expect(seen).toEqual([])
      } finally {
        await agent.close()
      }
    },
  )

  it('a certificate that was named is trusted', async () => {
    const report = await probe({
      ...probeOptions(url, stillClock(midStep)),
      ca,
      only: ['reach', 'tls'],
    })
    expect(findings(report)).toEqual({})
  })

  it('refuses a file without a certificate before anything is sent', async () => {
    const refused = probe({ ...probeOptions(url, stillClock(midStep)), ca: 'not a certificate' })
    await expect(refused).rejects.toMatchObject({ code: 'ERR_USAGE' })
  })
})
