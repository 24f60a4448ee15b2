import { A2AService } from '@a2a-js/sdk/server/grpc'
import { createAuthenticatingFetchWithRetry } from '@a2a-js/sdk/client'
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js'
import { beforeEach, describe, expect, it } from 'vitest'
import { totpGrpcInterceptor } from '../../src/client/grpc.js'
import { totpAuthenticationHandler, totpFetch } from '../../src/client/index.js'
import { clientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn, seed, token } from '../support/client-scheme.js'
import { record, type RecordingServer } from '../support/recording-server.js'

let clock: FakeClock
let warnings: string[]
beforeEach(() => {
  clock = new FakeClock()
  warnings = []
})

const scheme = (options: Parameters<typeof schemeOn>[1] = {}) =>
  schemeOn(clock, { onWarning: (message) => warnings.push(message), ...options })

/** An agent that refuses with this status, its clock so many seconds ahead of the client's. */
const refusing = (
  aheadSeconds: number,
  status = 401,
  headers: Record<string, string> = {},
): Promise<RecordingServer> =>
  record((_request, response) => {
    const date = new Date(clock.at.getTime() + aheadSeconds * 1000).toUTCString()
    response.writeHead(status, { Date: date, ...headers }).end()
  })

describe('a client whose code is refused', () => {
  it.each([
    [
      130,
      "the agent refused a code, and this machine's clock is 2 min 10 s behind the agent's; set it by NTP",
    ],
    [
      -130,
      "the agent refused a code, and this machine's clock is 2 min 10 s ahead of the agent's; set it by NTP",
    ],
  ])('says once that its clock is off by %i s', async (aheadSeconds, warning) => {
    await using agent = await refusing(aheadSeconds)
    const fetch = totpFetch(scheme())
    for (let count = 0; count < 3; count++) expect((await fetch(agent.origin)).status).toBe(401)
    expect(warnings).toEqual([warning])
    expect(warnings.join()).not.toContain(clock.code())
    expect(warnings.join()).not.toContain(token)
    expect(warnings.join()).not.toContain(seed.base32)
  })

  it('is warned once by each scheme, as a process warning by default', async () => {
    await using agent = await refusing(600)
    const heard: (string | undefined)[] = []
    const hear = (warning: Error & { code?: string }) => void heard.push(warning.code)
    process.on('warning', hear)
    try {
      for (let count = 0; count < 2; count++) await totpFetch(schemeOn(clock))(agent.origin)
      await new Promise((done) => setImmediate(done))
    } finally {
      process.off('warning', hear)
    }
    expect(heard).toEqual(['A2A_TOTP_CLOCK', 'A2A_TOTP_CLOCK'])
  })

  it('sends the codes of its own clock as before', async () => {
    await using agent = await refusing(600)
    const fetch = totpFetch(scheme())
    for (let count = 0; count < 2; count++) {
      await fetch(agent.origin)
      expect(agent.requests.at(-1)?.fields).toContainEqual(['x-totp', clock.code()])
      clock.advance(30)
    }
    expect(agent.requests).toHaveLength(2)
  })

  it('says nothing of a clock within the window', async () => {
    for (const aheadSeconds of [0, 29, 58, -30]) {
      await using agent = await refusing(aheadSeconds)
      await totpFetch(scheme())(agent.origin)
    }
    expect(warnings).toEqual([])
  })

  it.each([200, 400, 403, 429, 503])('says nothing where the answer is %d', async (status) => {
    await using agent = await refusing(600, status)
    await totpFetch(scheme())(agent.origin)
    expect(warnings).toEqual([])
  })

  it('says nothing where the code was right, but spent', async () => {
    await using agent = await refusing(600, 401, { 'Retry-After': '1' })
    await totpFetch(scheme())(agent.origin)
    expect(warnings.join()).not.toContain('clock')
  })

  it.each(['', 'yesterday', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    'says nothing where the Date is %j',
    async (date) => {
      await using agent = await refusing(0, 401, { Date: date })
      await totpFetch(scheme())(agent.origin)
      expect(warnings).toEqual([])
    },
  )

  it('counts the Age of an answer from a cache', async () => {
    await using agent = await refusing(-3600, 401, { Age: '3600' })
    await totpFetch(scheme())(agent.origin)
    expect(warnings).toEqual([])
  })

  it('is told by an authentication handler, too', async () => {
    await using agent = await refusing(600)
    await createAuthenticatingFetchWithRetry(fetch, totpAuthenticationHandler(scheme()))(agent.origin)
    expect(warnings).toEqual([expect.stringContaining('10 min behind')])
  })

  it('is told over gRPC by an agent that sends its date', async () => {
    await using agent = await clientAgent({ now: () => new Date() })
    clock.at = new Date(Date.now() - 600_000)
    const Service = makeGenericClientConstructor(A2AService, 'A2AService')
    const interceptors = [totpGrpcInterceptor(scheme())]
    const client = new Service(agent.grpc, credentials.createInsecure(), { interceptors })
    for (let count = 0; count < 2; count++) {
      await new Promise<void>((done) => {
        client['getTask']?.({ id: 'none' }, () => done())
      })
    }
    client.close()
    expect(agent.seen.map(({ passed }) => passed)).toEqual([false, false])
    expect(warnings).toEqual([
      expect.stringMatching(/clock is (9 min 59 s|10 min( \d s)?) behind the agent's/),
    ])
  })
})
