import { randomBytes } from 'node:crypto'
import * as grpc from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { callerOf, grpcGuard, guardedService } from '../../src/server/grpc.js'
import { TOTPServerAuthScheme, type AuthEvent } from '../../src/server/index.js'
import { codeAt, signByHand, sha256, type Fields } from '../support/signed-by-hand.js'

/* Contract section 7 over gRPC, with metadata that is signed by hand. */

const seed = 'ZLWB7MXUZEY3Q4UFAIATM4A6QKSDN4YX'
const start = 1_795_460_400
const path = '/test.Echo/Say'
const bytes = (value: Buffer): Buffer => value
const service = {
  Say: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
} as const

interface Agent {
  readonly events: AuthEvent[]
  readonly seen: unknown[]
  readonly call: (message: Buffer, fields: Fields, options?: grpc.ChannelOptions) => Promise<Answer>
  readonly sign: (message: Buffer, more?: Fields, target?: string) => Fields
  readonly now: number
}
interface Answer {
  readonly code: number
  readonly reply?: string
  readonly trailers?: grpc.Metadata
}

async function serve(signed: 'off' | 'observe' | 'accept' | 'require'): Promise<Agent> {
  let now = start
  const events: AuthEvent[] = []
  const seen: unknown[] = []
  const scheme = new TOTPServerAuthScheme({
    agent: 'billing',
    peerSeeds: { alice: seed },
    tokenToPeer: { a2at_one: 'alice' },
    replay: 'once',
    signed,
    now: () => new Date(now * 1000),
    onEvent: (event) => void events.push(event),
  })
  const server = new grpc.Server({ interceptors: [grpcGuard(scheme)] })
  server.addService(guardedService(service), {
    Say: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      seen.push(callerOf(call))
      done(null, call.request)
    },
  })
  const port = await new Promise<number>((bound, fail) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, found) =>
      error ? fail(error) : bound(found),
    )
  })
  onTestFinished(() => server.forceShutdown())
  now += 1800
  const at = now
  return {
    events,
    seen,
    now: at,
    call: (message, fields, options = {}) => {
      const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options)
      const metadata = new grpc.Metadata()
      for (const [name, value] of Object.entries(fields)) metadata.set(name, value)
      return new Promise((done) => {
        client.makeUnaryRequest(path, bytes, bytes, message, metadata, (error, reply) => {
          client.close()
          done(error ? { code: error.code, trailers: error.metadata } : { code: 0, reply: String(reply) })
        })
      })
    },
    sign: (message, more = {}, target = path) => {
      const length = Buffer.alloc(5)
      length.writeUInt32BE(message.length, 1)
      const framed = Buffer.concat([length, message])
      return signByHand({
        seed,
        token: 'a2at_one',
        agent: 'billing',
        target,
        created: at,
        fields: { 'content-digest': sha256(framed), ...more },
      }).fields
    },
  }
}

const message = Buffer.from('hello')
const refused = grpc.status.UNAUTHENTICATED

describe.each(['accept', 'require'] as const)('gRPC under %s', (signed) => {
  it('lets signed calls in, each once, any number in a step', async () => {
    const { call, sign, seen } = await serve(signed)
    const fields = sign(message, { 'a2a-version': '1.0' })
    const big = randomBytes(200_000)
    expect(await call(message, fields)).toMatchObject({ code: 0, reply: 'hello' })
    expect(await call(message, fields)).toMatchObject({ code: refused })
    expect(await call(big, sign(big))).toMatchObject({ code: 0 })
    expect(await call(Buffer.alloc(0), sign(Buffer.alloc(0)))).toMatchObject({ code: 0 })
    expect(
      await call(message, sign(message), {
        'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
      }),
    ).toMatchObject({
      code: 0,
    })
    expect(seen).toMatchObject(Array(4).fill({ peer: 'alice', agent: 'billing', proof: 'signed' }))
  })

  it('refuses another message, method or field, and the handler sees none of it', async () => {
    const { call, sign, seen } = await serve(signed)
    const attempts: [string, Buffer, Fields][] = [
      ['proof-digest', Buffer.from('hellO'), sign(message)],
      ['proof-mac', message, sign(message, {}, '/test.Echo/Shout')],
      ['proof-uncovered', message, { ...sign(message), 'a2a-extensions': 'urn:x' }],
      ['proof-malformed', message, { ...sign(message), signature: 'a2a-totp=:AAAA:' }],
    ]
    for (const [reason, content, fields] of attempts) {
      expect([reason, (await call(content, fields)).code]).toEqual([reason, refused])
    }
    expect(seen).toEqual([])
  })

  it('has the challenge in the trailers', async () => {
    const { call, sign } = await serve(signed)
    const fields = sign(message)
    await call(message, fields)
    for (const wrong of [fields, { ...fields, 'x-totp': '000000' }, { authorization: 'Bearer nobody' }]) {
      const { code, trailers } = await call(message, wrong)
      expect(code).toBe(refused)
      const required = signed === 'require' ? ', proof="required"' : ''
      expect(String(trailers?.get('www-authenticate'))).toContain(
        `TOTP realm="a2a", header="X-TOTP"${required}`,
      )
      expect(trailers?.get('retry-after')).toEqual([])
      expect(trailers?.get('accept-signature')).toEqual(
        signed === 'require'
          ? [
              'a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "x-totp");created;expires;tag="a2a-totp/proof/v1"',
            ]
          : [],
      )
    }
  })

  it('a plain call', async () => {
    const { call, now } = await serve(signed)
    const plain = { authorization: 'Bearer a2at_one', 'x-totp': codeAt(seed, now) }
    expect((await call(message, plain)).code).toBe(signed === 'accept' ? 0 : refused)
  })
})

it('observe decides by the code and reports', async () => {
  const { call, sign, events, seen } = await serve('observe')
  expect((await call(Buffer.from('hellO'), sign(message))).code).toBe(0)
  expect(seen).toMatchObject([{ proof: 'code' }])
  expect(events).toMatchObject([
    { type: 'authenticated', proof: 'valid' },
    { type: 'proof_observed', proof: 'invalid', proofReason: 'proof-digest' },
  ])
})
