import { describe, expect, it } from 'vitest'
import {
  fieldsForAgent,
  publicFields,
  trailersForAgent,
  type ForwardedFrom,
} from '../../../src/sidecar/gate/passed-fields.js'

const rules = { codeHeader: 'X-TOTP', identityHeader: 'TotpPeer' }
const direct: ForwardedFrom = { source: '192.0.2.1', proto: 'https', host: 'billing.example' }
const proof = [
  ...['Content-Digest', 'sha-256=:AA==:'],
  ...['Signature-Input', 'a2a-totp=("@method");tag="a2a-totp/proof/v1"'],
  ...['Signature', 'a2a-totp=:AA==:'],
]

/** What the agent gets, by name in lower case. */
function passed(fields: readonly string[], { from = direct, given = rules } = {}): Map<string, string[]> {
  const all = new Map<string, string[]>()
  const list = fieldsForAgent(fields, given, from, { peer: 'alice' })
  for (let place = 0; place < list.length; place += 2) {
    const name = (list[place] ?? '').toLowerCase()
    all.set(name, [...(all.get(name) ?? []), list[place + 1] ?? ''])
  }
  return all
}

describe('the fields that an agent gets', () => {
  it('are those that the client sent, in order, and who it is', () => {
    const fields = ['Content-Type', 'application/json', 'X-A', '1', 'X-A', '2', 'Cookie', 'c=1']
    expect(fieldsForAgent(fields, rules, direct, { peer: 'alice', assertion: 'e.y.J' })).toEqual([
      ...fields,
      ...['X-Forwarded-For', '192.0.2.1'],
      ...['x-forwarded-proto', 'https', 'x-forwarded-host', 'billing.example'],
      ...['TotpPeer', 'alice', 'TotpAssertion', 'e.y.J'],
    ])
  })

  it.each([
    ...['Authorization', 'authorization', 'AUTHORIZATION'],
    ...['X-TOTP', 'x-totp', 'X_TOTP', 'x.totp', 'X!TOTP', "x'totp", 'XTOTP'],
    ...['TotpStatus', 'TotpAssertion', 'Totp-Assertion', 'totp_assertion', 'TotpChallenges'],
    ...[
      'X-Forwarded-For',
      'X_Forwarded_For',
      'X-Forwarded-Uri',
      'Forwarded',
      'X-Original-URL',
      'x-rewrite-url',
    ],
    ...[
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'X-Real-IP',
      'x-envoy-original-path',
      'Expect',
      'Host',
    ],
    ...['Connection', 'Keep-Alive', 'TE', 'Upgrade', 'Proxy-Authorization', 'Transfer-Encoding'],
  ])('do not have what the client sent as %s', (name) => {
    const values = [...passed([name, 'from-the-client']).values()].flat()
    expect(values.join()).not.toContain('from-the-client')
  })

  it.each(
    (
      'X-Original-Host X-HTTP-Method X-Http-Method-Override X-Client-IP X-Cluster-Client-IP True-Client-IP X-Envoy-Internal ' +
      'CF-Connecting-IP Fastly-Client-IP X-WAF-Token Proxy X_Real_IP'
    ).split(' '),
  )('do not have %s, by which an agent may take the request for another one', (name) => {
    expect(fieldsForAgent([name, 'c'], rules, direct, { peer: 'alice' })).not.toContain('c')
  })

  it.each(
    (
      'A-X-Original-URL X-Originally X-Method-Overrides Forwarded-By X-Real-IPs X-Client-IPv6 X-Cluster-Client-IPs ' +
      'True-Client-IPs Fastly-Client-IPs Proxy-Status My-Proxy X-Forwarded Signature'
    ).split(' '),
  )('have %s, which only looks like one of these', (name) => {
    expect(passed([name, 'c']).get(name.toLowerCase())).toEqual(['c'])
  })

  it('have no assertion, nor an address, where there is none', () => {
    const from: ForwardedFrom = { source: undefined, proto: 'http', host: 'h' }
    expect(fieldsForAgent([], rules, from, { peer: 'alice' })).toEqual([
      ...['x-forwarded-proto', 'http', 'x-forwarded-host', 'h', 'TotpPeer', 'alice'],
    ])
    expect(passed([], { from: { ...from, proxy: '10.0.0.1' } })).toEqual(
      new Map([
        ['x-forwarded-for', ['10.0.0.1']],
        ['x-forwarded-proto', ['http']],
        ['x-forwarded-host', ['h']],
        ['totppeer', ['alice']],
      ]),
    )
  })

  it.each([
    'TotpPeer',
    'totppeer',
    'TOTPPEER',
    'Totp-Peer',
    'totp_peer',
    'Totp.Peer',
    'Totp!Peer',
    "T'otpPeer",
  ])('name the caller once, whatever the client sent as %s', (name) => {
    const fields = passed([name, 'mallory', name, 'admin'])
    expect(fields.get('totppeer')).toEqual(['alice'])
    expect([...fields.values()].flat().join()).not.toMatch(/mallory|admin/)
  })

  it('have a name of the caller that was chosen, and neither that nor the usual one from the client', () => {
    const given = { ...rules, identityHeader: 'XUser1' }
    const fields = passed(
      ['XUser1', 'mallory', 'X-User-1', 'mallory', 'x_user_1', 'mallory', 'TotpPeer', 'm'],
      {
        given,
      },
    )
    expect(fields.get('xuser1')).toEqual(['alice'])
    expect([...fields.values()].flat()).not.toContain('mallory')
    expect(fields.has('totppeer')).toBe(false)
  })

  it.each(['TotpPeer', 'close, totppeer', 'TotpPeer, Content-Length'])(
    'name the caller when Connection is %s',
    (connection) => {
      expect(passed(['Connection', connection, 'TotpPeer', 'mallory']).get('totppeer')).toEqual(['alice'])
    },
  )

  it('are without those that Connection names', () => {
    expect(passed(['Connection', 'X-Hop', 'X-Hop', '1', 'X-End', '2']).has('x-hop')).toBe(false)
  })

  it('have no proof of ours, and keep the signature of another profile', () => {
    const names = [...passed(proof).keys()]
    expect(names).not.toContain('content-digest')
    expect(names).not.toContain('signature-input')
    expect(names).not.toContain('signature')
    const other = ['Signature-Input', 'sig=("@method");tag="web-bot-auth"', 'Signature', 'sig=:AA==:']
    expect([...passed([...other, ...proof]).keys()]).not.toContain('signature')
    expect(passed([...other, 'Content-Digest', 'sha-256=:AA==:']).get('signature')).toEqual(['sig=:AA==:'])
  })

  it('say where the request came from, and believe a trusted proxy alone', () => {
    const forged = [
      ...['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'gopher', 'X-Forwarded-Host', 'evil.example'],
    ]
    expect(passed(forged).get('x-forwarded-for')).toEqual(['192.0.2.1'])
    expect(passed(forged).get('x-forwarded-host')).toEqual(['billing.example'])
    const from = { ...direct, proxy: '10.0.0.1' }
    expect(passed(forged, { from }).get('x-forwarded-for')).toEqual(['6.6.6.6, 10.0.0.1'])
    expect(passed(forged, { from }).get('x-forwarded-host')).toEqual(['evil.example'])
    const twice = passed([...forged, ...forged], { from })
    expect(twice.get('x-forwarded-host')).toEqual(['billing.example'])
  })

  it('are filtered as trailers too', () => {
    expect(trailersForAgent(['TotpPeer', 'mallory', 'X-TOTP', '123456', 'X-End', '1'], rules)).toEqual([
      'X-End',
      '1',
    ])
  })

  it.each(
    (
      'Accept Accept-Encoding Accept-Language A2A-Version A2A-Extensions Cache-Control If-Match If-Modified-Since ' +
      'If-None-Match If-Range If-Unmodified-Since Range Origin User-Agent Traceparent Tracestate'
    ).split(' '),
  )('have %s where something is public', (name) => {
    expect(publicFields([name, 'c'], direct).slice(0, 2)).toEqual([name, 'c'])
  })

  it('are a few harmless ones where something is public', () => {
    const fields = [
      'Accept',
      '*/*',
      'Cookie',
      'c=1',
      'X-Original-URL',
      '/admin',
      'X-Anything',
      '1',
      'TotpPeer',
      'm',
    ]
    expect(publicFields([...fields, ...proof, 'Authorization', 'Bearer t'], direct)).toEqual([
      ...['Accept', '*/*', 'X-Forwarded-For', '192.0.2.1'],
      ...['x-forwarded-proto', 'https', 'x-forwarded-host', 'billing.example'],
    ])
  })
})
