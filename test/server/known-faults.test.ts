/** Faults that other verifiers of TOTP had. SECURITY.md lists them, with these tests. */
import { status } from '@grpc/grpc-js'
import { jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import { afterEach, expect, it } from 'vitest'
import { TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { totpGuard } from '../../src/server/express.js'
import { grpcGuard } from '../../src/server/grpc.js'
import {
  callGrpc,
  grpcAgent,
  messageFor,
  metadataOf,
  services,
  versionOf,
  type GrpcVersion,
} from '../support/grpc-agent.js'
import { agentOf, TestServer } from '../support/guarded-agent.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  requestWith,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { routesOf } from '../support/routes.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

it('counts guesses in one budget, whatever route or binding they come by', async () => {
  const { scheme } = schemeFor(new Clock())
  const http = await new TestServer().listen()
  closing.push(() => http.close())
  const { requestHandler, executor } = agentOf(http.origin)
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const options = { requestHandler, userBuilder, contextBuilder, legacyCompat: { enabled: true } }
  const handlers = { '/a2a/jsonrpc': jsonRpcHandler(options), '/a2a/rest': restHandler(options) }
  http.app.use(totpGuard(scheme))
  for (const [path, handler] of Object.entries(handlers)) http.app.use(path, handler)
  const grpc = await grpcAgent(scheme, [grpcGuard(scheme)])
  closing.push(() => grpc.server.close())

  const right = headersOf('alice', someInstant)
  const overHttp = Object.entries(handlers)
    .flatMap(([path, handler]) => routesOf(handler, path))
    .map(({ method, path }) => ({
      door: `${method} ${path}`,
      throttled: 429,
      call: async (headers: Record<string, string>): Promise<number> => {
        const response = await fetch(http.origin + path, {
          method,
          headers,
          signal: AbortSignal.timeout(20_000),
        })
        await response.body?.cancel()
        return response.status
      },
    }))
  const overGrpc = (['1.0', '0.3'] satisfies GrpcVersion[]).flatMap((version) =>
    Object.keys(services[version]).map((method) => ({
      door: `gRPC ${version} ${method}`,
      throttled: status.RESOURCE_EXHAUSTED,
      call: async (headers: Record<string, string>): Promise<number> => {
        const metadata = metadataOf({ ...versionOf(version), ...headers })
        const message = messageFor(version, method)
        return (await callGrpc(grpc.server.address, services[version], method, message, metadata)).code
      },
    })),
  )
  const doors = [...overHttp, ...overGrpc]
  expect(overHttp.length).toBeGreaterThan(40)
  expect(overGrpc.length).toBeGreaterThan(15)

  // Each guess at another door: the budget is five in 30 s.
  const apart = Math.floor(doors.length / 5)
  for (const guess of [0, 1, 2, 3, 4]) {
    await doors[guess * apart]?.call({ ...right, 'X-TOTP': wrongCodeOf(someInstant, guess) })
  }
  for (const { door, throttled, call } of doors) {
    expect([door, await call(right)]).toEqual([door, throttled])
  }
  expect([...executor.calls, ...grpc.executor.calls]).toEqual([])
})

it('takes a code in no other spelling, used or not', async () => {
  const { scheme } = schemeFor(new Clock(), { replay: 'once' })
  const server = await new TestServer().listen()
  closing.push(() => server.close())
  const callers: string[] = []
  server.app.use(totpGuard(scheme), (_, response) => {
    callers.push('alice')
    response.end()
  })
  const code = codeOf('alice', someInstant)
  const [head, tail] = [code.slice(0, 3), code.slice(3)]
  const shifted = (by: number): string =>
    Array.from(code, (digit) => String.fromCodePoint(Number(digit) + by)).join('')
  const spellings = [
    ...[` ${code}`, `${code} `, `\t${code}\t`, `${head} ${tail}`, `${head}\u00a0${tail}`, `${head}-${tail}`],
    ...[`+${code}`, `0${code}`, `${code}.0`, `${code}\0`, `"${code}"`, `${code},`, `${code}, ${code}`],
    // Fullwidth, Arabic-Indic and mathematical digits, which NFKC or a number parser may turn into ASCII.
    ...[shifted(0xff10), shifted(0x660), shifted(0x1d7ce)],
  ]
  const exchange = (value: string): Promise<string> =>
    server.raw(
      `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: ${bearerOf('alice')}\r\nX-TOTP: ${value}\r\n\r\n`,
    )
  const callerBy = async (spelling: string): Promise<unknown> =>
    (await scheme.authenticate(requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': spelling }))).caller
  for (const spelling of spellings)
    expect([spelling, await callerBy(spelling)]).toEqual([spelling, undefined])
  expect(await exchange(code)).toMatch(/^HTTP\/1\.1 200 /)
  for (const spelling of [code, ...spellings]) {
    expect([spelling, await callerBy(spelling)]).toEqual([spelling, undefined])
    // Over HTTP, where white space around a field's value is no part of it, and text beyond ASCII comes as UTF-8.
    const bytes = Buffer.from(spelling).toString('latin1')
    expect([spelling, await exchange(bytes)]).toEqual([
      spelling,
      expect.stringMatching(/^HTTP\/1\.1 40[01] /),
    ])
  }
  expect(callers).toEqual(['alice'])
})
