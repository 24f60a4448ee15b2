import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { httpAnswer } from '../../../src/server/scheme/refusal.js'
import { authz, plain } from '../../support/authz.js'
import { checker, joinedCheck, rawCheck } from '../../support/ext-authz.js'
import {
  Clock,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  someInstant,
  wrongCodeOf,
} from '../../support/guarded.js'
import { signed, type SentRequest } from '../../support/signed-requests.js'

const good = headersOf('alice', someInstant)
const forms = { 'raw lines': rawCheck, 'joined lines': joinedCheck }

const asked = async (
  options: Parameters<typeof schemeFor>[1] = {},
  given: Parameters<typeof authz>[1] = {},
) => {
  const { scheme, events } = schemeFor(new Clock(), options)
  const running = await authz(scheme, given)
  return { ...running, decided: events, check: checker(running.grpcPort) }
}

describe.each(Object.entries(forms))("Envoy's Check, with %s", (_form, checkOf) => {
  it('names the caller over whatever the client sent, and takes the credentials out', async () => {
    const { check, calls } = await asked()
    expect(await check(checkOf(plain({ ...good, TotpPeer: 'bob' })))).toEqual({
      status: expect.objectContaining({ code: 0 }) as object,
      denied_response: null,
      ok_response: {
        headers: [
          {
            header: expect.objectContaining({ key: 'TotpPeer', value: 'alice' }) as object,
            append: { value: false },
            append_action: 0,
          },
        ],
        headers_to_remove: ['authorization', 'x-totp', 'content-digest', 'signature-input', 'signature'],
      },
    })
    expect(calls).toMatchObject([
      {
        role: 'authz-grpc',
        status: '200',
        method: 'POST',
        path: '/a2a',
        source: '192.0.2.7',
        outcome: { caller: { peer: 'alice' } },
      },
    ])
  })

  it.each([
    ['nothing', {}],
    ['the token alone', { Authorization: `Bearer ${peers.alice.token}` }],
    ['a wrong code', { ...good, 'X-TOTP': wrongCodeOf(someInstant) }],
  ])('refuses %s with the answer of the guards', async (_what, headers: Record<string, string>) => {
    const { refusal } = await schemeFor(new Clock()).scheme.authenticate(requestWith(headers))
    if (!refusal) throw new Error('it was let in')
    const { status: code, headers: fields, body } = httpAnswer(refusal)
    const { check } = await asked()
    const {
      denied_response: denied,
      ok_response: ok,
      status: { code: grpc },
    } = await check(checkOf(plain(headers)))
    expect(ok).toBeNull()
    expect(grpc).toBe(status.UNAUTHENTICATED)
    expect(denied).toMatchObject({ status: { code }, body })
    expect(denied?.headers.map(({ header }) => [header.key, header.value])).toEqual(
      fields.filter(([name]) => name !== 'Content-Length'),
    )
    // With `append`, Envoy 1.40 sends the first challenge alone.
    expect(denied?.headers.every(({ append }) => append === null)).toBe(true)
  })

  it.each(['Authorization', 'X-TOTP'])('refuses two lines of %s', async (name) => {
    const { check, decided } = await asked()
    const second = [name, new Map(Object.entries(good)).get(name) ?? ''] as const
    const { denied_response: denied } = await check(
      checkOf({ ...plain(), headers: [...Object.entries(good), second] }),
    )
    expect(denied?.status.code).toBe(401)
    expect(decided).toMatchObject([{ type: 'refused' }])
  })

  it('answers gRPC in plain text, and leaves the type to Envoy', async () => {
    const { check } = await asked()
    const { denied_response: denied } = await check(checkOf(plain({ 'content-type': 'application/grpc' })))
    expect(denied?.body).toBe('a bearer token and a valid one-time code are required')
    expect(denied?.headers.map(({ header }) => header.key)).toEqual([
      'WWW-Authenticate',
      'WWW-Authenticate',
      'Cache-Control',
    ])
  })

  it('lets a signed request in by the head of its proof, once', async () => {
    const { check, calls } = await asked({ agent: 'billing', signed: 'accept', replay: 'once' })
    const request: SentRequest = signed({ agent: 'billing' })
    expect((await check(checkOf(request))).ok_response).not.toBeNull()
    expect((await check(checkOf(request))).denied_response?.status.code).toBe(401)
    expect((await check(checkOf({ ...request, target: '/a2a?x=2' }))).denied_response?.status.code).toBe(401)
    expect(calls.map(({ proof }) => proof)).toEqual(['signed-head', undefined, undefined])
  })
})

describe('the gRPC listener', () => {
  it('limits unknown tokens by the address that Envoy saw', async () => {
    const { check } = await asked({ throttle: { strangers: { perMinute: 2 } } })
    const unknown = plain({
      Authorization: 'Bearer a2at_unknown',
      'X-TOTP': '123456',
      'X-Forwarded-For': '203.0.113.9',
    })
    const codes: number[] = []
    for (const source of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']) {
      codes.push((await check(rawCheck(unknown, source))).denied_response?.status.code ?? 0)
    }
    expect(codes).toEqual([401, 401, 429, 401])
  })

  it('denies what has no request in it', async () => {
    const { check } = await asked()
    for (const empty of [{}, { attributes: {} }, { attributes: { request: { http: {} } } }]) {
      expect((await check(empty)).denied_response?.status.code).toBe(401)
    }
  })

  it('reads bytes of a field as Node does', async () => {
    const seen: (readonly string[])[] = []
    const { scheme } = schemeFor(new Clock())
    const { grpcPort } = await authz(scheme)
    const before = scheme.authenticate.bind(scheme)
    scheme.authenticate = (request) => {
      seen.push(request.header('x-name'))
      return before(request)
    }
    await checker(grpcPort)(rawCheck(plain({ 'X-Name': 'a\u00e9\u00ff' })))
    expect(seen).toEqual([['a\u00e9\u00ff']])
  })

  it('fails where the token for fronts is missing, wrong or doubled, and answers nothing', async () => {
    const { check, calls } = await asked({}, { frontToken: 'front-0123456789abcdef' })
    for (const metadata of [undefined, { totpauthztoken: 'front-0123456789abcdeg' }]) {
      await expect(check(rawCheck(plain(good)), metadata)).rejects.toMatchObject({
        code: status.PERMISSION_DENIED,
      })
    }
    expect(calls).toMatchObject([{ own: 'local-auth' }, { own: 'local-auth' }])
    const { ok_response: ok } = await check(rawCheck(plain(good)), {
      totpauthztoken: 'front-0123456789abcdef',
    })
    expect(ok).not.toBeNull()
  })
})
