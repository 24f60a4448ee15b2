import {
  status,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { callerOf, grpcGuard, guardedService, outcomeOf } from '../../src/server/grpc.js'
import { Clock, headersOf, schemeFor, someInstant } from '../support/guarded.js'
import { callGrpc, GrpcTestServer, metadataOf, type Ending } from '../support/grpc-agent.js'

const right = headersOf('alice', someInstant)
const SERVING = 1

/** The field 1 of a message, which is all that the messages of grpc.health.v1 have (but List's answer). */
const writeText = (service: unknown): Buffer =>
  Buffer.from(new BinaryWriter().uint32(10).string(String(service)).finish())
const readText = (bytes: Buffer): string => {
  const reader = new BinaryReader(bytes)
  return bytes.length === 0 ? '' : (reader.uint32(), reader.string())
}
const writeStatus = (value: unknown): Buffer =>
  Buffer.from(
    new BinaryWriter()
      .uint32(8)
      .int32(value as number)
      .finish(),
  )
const readStatus = (bytes: Buffer): number => {
  const reader = new BinaryReader(bytes)
  return (reader.uint32(), reader.int32())
}

const method = (path: string, responseStream = false) => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: writeText,
  requestDeserialize: readText,
  responseSerialize: writeStatus,
  responseDeserialize: readStatus,
})

/** grpc.health.v1, and what must stay closed beside it. */
const health = {
  check: method('/grpc.health.v1.Health/Check'),
  watch: method('/grpc.health.v1.Health/Watch', true),
  list: method('/grpc.health.v1.Health/List'),
} satisfies ServiceDefinition
const others = {
  reset: method('/grpc.health.v1.Health/Reset'),
  lowerCase: method('/grpc.health.v1.Health/check'),
  subPath: method('/grpc.health.v1.Health/Check/'),
  dots: method('/grpc.health.v1.Health/../Check'),
  otherVersion: method('/grpc.health.v2.Health/Check'),
  otherService: method('/agent.grpc.health.v1.Health/Check'),
  reflection: method('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'),
} satisfies ServiceDefinition

let server: GrpcTestServer | undefined
afterEach(() => server?.close())

/** Serves both services, whose handlers note whom they take for the caller. */
async function serve(options: Parameters<typeof grpcGuard>[1], isGuarded: boolean) {
  const { scheme, events } = schemeFor(new Clock())
  const callers: unknown[] = []
  const unary = (call: ServerUnaryCall<string, number>, done: (error: null, value: number) => void): void => {
    callers.push(callerOf(call)?.peer, outcomeOf(call))
    done(null, SERVING)
  }
  const stream = (call: ServerWritableStream<string, number>): void => {
    callers.push(callerOf(call)?.peer, outcomeOf(call))
    call.write(SERVING)
    call.end()
  }
  const wrap = <S extends ServiceDefinition>(service: S): S => (isGuarded ? guardedService(service) : service)
  server = new GrpcTestServer([grpcGuard(scheme, options)])
    .add(wrap(health), { check: unary, watch: stream, list: unary })
    .add(wrap(others), Object.fromEntries(Object.keys(others).map((name) => [name, unary])))
  await server.listen()
  const { address } = server
  const call = (
    service: ServiceDefinition,
    name: string,
    fields: Record<string, string> = {},
  ): Promise<Ending> => callGrpc(address, service, name, 'agent' as never, metadataOf(fields))
  return { call, callers, events }
}

describe.each([false, true])('grpcGuard with { health: true }, with guardedService: %s', (isGuarded) => {
  it.each(Object.keys(health))(
    'leaves %s open, without a caller even if there are credentials',
    async (name) => {
      const { call, callers, events } = await serve({ health: true }, isGuarded)
      for (const fields of [{}, { Authorization: 'Bearer nobody' }, right]) {
        expect(await call(health, name, fields)).toMatchObject({ code: status.OK, messages: [SERVING] })
      }
      expect(callers).toEqual(Array.from({ length: 6 }, () => undefined))
      expect(events).toEqual([])
    },
  )

  it.each(Object.keys(others))('refuses %s', async (name) => {
    const { call, callers } = await serve({ health: true }, isGuarded)
    expect((await call(others, name)).code).toBe(status.UNAUTHENTICATED)
    expect(callers).toEqual([])
    expect((await call(others, name, right)).code).toBe(status.OK)
  })
})

it.each([undefined, {}, { health: false }, { health: 'yes' as never }])(
  'keeps health checks closed with %j',
  async (options) => {
    const { call, callers } = await serve(options, true)
    for (const name of Object.keys(health))
      expect((await call(health, name)).code).toBe(status.UNAUTHENTICATED)
    expect(callers).toEqual([])
    expect((await call(health, 'check', right)).code).toBe(status.OK)
  },
)

it.each([
  '/grpc.health.v1.Health/../Reset',
  '/grpc.health.v1.Health/Check?x',
  '/grpc.health.v1.Health//Check',
])('knows no method at %s', async (path) => {
  const { call } = await serve({ health: true }, true)
  expect((await call({ trick: method(path) }, 'trick')).code).toBe(status.UNIMPLEMENTED)
})
