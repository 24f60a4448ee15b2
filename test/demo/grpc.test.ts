import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startDemoAgent, type DemoAgent } from '../../src/demo/index.js'
import { Clock, codeOf, headersOf, rosterOf } from '../support/guarded.js'
import {
  callGrpc,
  messageFor,
  metadataOf,
  services,
  versionOf,
  type Ending,
  type GrpcVersion,
} from '../support/grpc-agent.js'

const clock = new Clock()
const right = headersOf('alice', clock.at)
let lines: string[]
let demo: DemoAgent
beforeEach(async () => {
  lines = []
  demo = await startDemoAgent({
    roster: rosterOf(),
    port: 0,
    now: clock.now,
    log: (line) => lines.push(line),
  })
})
afterEach(() => demo.close())

const addressOf = (version: GrpcVersion): string =>
  demo.interfaces.find(
    ({ protocolBinding, protocolVersion }) => protocolBinding === 'GRPC' && protocolVersion === version,
  )?.url ?? expect.fail('no such interface')

const call = (version: GrpcVersion, method: string, fields: Record<string, string>): Promise<Ending> =>
  callGrpc(
    addressOf(version),
    services[version],
    method,
    messageFor(version, method),
    metadataOf({ ...versionOf(version), ...fields }),
  )

describe('the demo agent over gRPC', () => {
  it.each(['1.0', '0.3'] as const)(
    'serves %s to a peer with both factors, and nobody else',
    async (version) => {
      for (const method of ['getTask', 'sendMessage', 'sendStreamingMessage']) {
        const { Authorization = '', ...code } = right
        for (const fields of [{ Authorization }, code, { ...right, 'X-TOTP': codeOf('bob', clock.at) }]) {
          expect((await call(version, method, fields)).code).toBe(status.UNAUTHENTICATED)
        }
      }
      expect((await call(version, 'getTask', right)).code).toBe(status.NOT_FOUND)
      expect((await call(version, 'sendMessage', right)).code).toBe(status.OK)
      const stream = await call(version, 'sendStreamingMessage', right)
      expect(JSON.stringify(stream.messages)).toContain('alice said: hi')
    },
  )

  it('writes one line a call, without anything secret', async () => {
    await call('1.0', 'getTask', {})
    await call('1.0', 'getTask', right)
    await expect.poll(() => lines).toHaveLength(2)
    const path = '/lf.a2a.v1.A2AService/GetTask'
    expect(lines.map((line) => line.replace(/\d+ ms$/, '_ ms'))).toEqual([
      `refused (token-missing) ${path} UNAUTHENTICATED _ ms`,
      `alice ${path} NOT_FOUND _ ms`,
    ])
    expect(lines.join('\n')).not.toContain(codeOf('alice', clock.at))
  })
})
