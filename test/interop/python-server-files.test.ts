import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { isTOTPError } from '../../src/core/errors.js'
import { schemeOptions } from '../../src/server/scheme/from-file.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { describeWith, pythonTests, runPython } from '../support/python.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Key = string | number

const { own, shared } = vectors.files
const canary = { name: 'bait', id: 'k1', hash: `sha256:${'a'.repeat(64)}` }

/** With every field that there is. */
const whole = [
  {
    ...own,
    serial: 7,
    signed: 'off',
    requires: ['once', 'signed', 'shared-seed'],
    canaries: [canary, { ...canary, id: 'k2', hash: `sha256:${'b'.repeat(64)}` }],
    peers: { ...own.peers, alice: { ...own.peers.alice, signed: 'accept', digits: 7 } },
  },
  { ...shared, signed: 'require' },
] as unknown as readonly Json[]

/** What may stand in any place. The texts of numbers matter: JSON has one kind of them. */
const oddities: readonly string[] = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1',
    '1.0',
    '6.0',
    '6.5',
    '30e0',
    '1e400',
    '-1',
    '9007199254740991',
  ],
  ...[
    '9007199254740992',
    '""',
    '" "',
    '"x"',
    '"once"',
    '"off"',
    '"require"',
    '"SHA1"',
    '"sha1"',
    '[]',
    '[[]]',
  ],
  ...['{}', '[null]', '["once"]', '["later"]', '[{}]', '{"a":1}', '9'.repeat(5000), '"\\ud800"', '"＋６"'],
]

/** What may stand in the places of one name. */
const particular: Readonly<Record<string, readonly string[]>> = {
  expiresAt: [
    ...['2026-11-23T22:45:01Z', '2026-11-23t22:45:01z', '2026-11-23 22:45:01Z', '2026-11-23T22:45:01'],
    ...['2026-11-23T22:45:01+01:00', '2026-11-23T22:45:01+0100', '2026-11-23T22:45:01+23:59', '2026-11-23'],
    ...[
      '2026-11-23T22:45:01+24:00',
      '2026-11-23T22:45:01-00:00',
      '2026-11-23T22:45:01+01:60',
      '2026-02-30T00:00:00Z',
    ],
    ...['2024-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '0000-01-01T00:00:00Z', '0000-02-29T00:00:00Z'],
    ...[
      '0001-01-01T00:00:00+14:00',
      '9999-12-31T23:59:59-14:00',
      '2026-13-01T00:00:00Z',
      '2026-11-23T24:00:00Z',
    ],
    ...[
      '2016-12-31T23:59:60Z',
      '2026-11-23T22:45:01.123456789Z',
      '2026-11-23T22:45:01.Z',
      '٢026-11-23T22:45:01Z',
    ],
    ...['2026-11-23T22:45:01Z\n', ' 2026-11-23T22:45:01Z', '2026-11-23T22:60:01Z', '2026-00-10T22:45:01Z'],
  ],
  seed: [
    ...[
      'JBSWY3DPEHPK3PXP',
      'GEZDGNBVGY3TQOJQGEZDGNBVGY',
      'gezd gnbv-gy3t qojq-gezd gnbv-gy3t qojq',
      'GEZDGNBV1Y3TQOJQ',
    ],
    ...[
      'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====',
      '=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      'GEZDGNBVGY3TQOJQGEZDGNBVG',
    ],
    ...[
      'GEZDGNBVGY3TQOJQ--GEZDGNBVGY3TQOJQ',
      '-GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      'ſEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    ],
    ...[
      '\ufeffGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      'GEZDGNBVGY3TQOJQ\u0085GEZDGNBVGY3TQOJQ',
      'GEZDGNBVGY3TQOJQ\u001cGEZDGNBVGY3TQOJQ',
    ],
    ...[
      'GEZDGNBVGY3TQOJQ\u00a0GEZDGNBVGY3TQOJQ',
      'ıEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      'A'.repeat(32),
      'GEZDGNBVGY3TQOJQGEZDGNBVGZ',
    ],
    own.peers.bob.seeds[0]?.seed ?? '',
  ],
  header: [
    ...[
      'x-totp',
      'Authorization',
      'COOKIE',
      'Cookie2',
      'Host',
      'A2A-Version',
      'X-A2A-Extensions',
      'grpc-x',
      'x-bin',
    ],
    ...[
      'Signature',
      'Signature-Input',
      'accept-signature',
      'Totp',
      'TotpPeer',
      'accept',
      'Accept-Encoding',
      'Content-X',
    ],
    ...[
      'If-Match',
      'X-Forwarded-For',
      'X-Real-IP',
      'Sec-X',
      'origin',
      'x totp',
      'x:totp',
      'X'.repeat(64),
      'X'.repeat(65),
    ],
    ...[
      'x-totp\n',
      'Priority',
      'Range',
      'Proxy-X',
      'TE',
      'Upgrade',
      'user-agent',
      'Set-Cookie',
      '\u212aey',
      'www-authenticate',
    ],
  ],
  hash: [
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'0'.repeat(63)}`,
    `sha512:${'0'.repeat(64)}`,
    `sha256:${'0'.repeat(64)}\n`,
    own.peers.alice.tokens[0]?.hash ?? '',
    canary.hash,
  ],
  agent: ['a', '-a', 'a'.repeat(64), 'a'.repeat(65), 'a b', 'ä', 'a\n', 'a2at_x'],
  name: ['a', '-a', 'a'.repeat(65), 'alice', 'ä'],
  id: ['a1', 'c1', 'c2', '\u0000', '😀'],
  replay: ['reuse', 'never', 'Once'],
  signed: ['off', 'observe', 'accept', 'require', 'OFF'],
  algorithm: ['SHA256', 'SHA512', 'MD5'],
}

const whatIsNoFile: readonly string[] = [
  ...[
    '',
    ' ',
    '{',
    '[]',
    'null',
    '"x"',
    '1',
    'NaN',
    '{"version":NaN}',
    '\ufeff{}',
    "{'version':1}",
    '{"version":1,}',
    '[1',
    '\u0000',
  ],
  `${JSON.stringify(own)} x`,
  JSON.stringify(own).replace('"laterKey":"ignored"', '"laterKey":Infinity'),
  JSON.stringify(own).replace('"laterKey":"ignored"', `"laterKey":${'9'.repeat(5000)}`),
  JSON.stringify(own).replace('"laterKey":"ignored"', '"laterKey":"a\tb"'),
  JSON.stringify(own).replace('"laterKey":"ignored"', '"version":2,"version":1'),
  JSON.stringify(own).replace('"laterKey":"ignored"', '"version":2'),
  ...[
    'constructor',
    '__proto__',
    'a b',
    '',
    'a2at_pasted',
    'GEZDGNBVGY3TQOJQGEZDGNBVGY',
    'x'.repeat(65),
    '1',
    'toString',
  ].flatMap((name) => [
    JSON.stringify(own).replace('"alice":', `${JSON.stringify(name)}:`),
    JSON.stringify(own).replace('"alice":', `${JSON.stringify(name)}:{},"alice":`),
  ]),
]

const pathsIn = (value: Json): Key[][] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => {
        const key = Array.isArray(value) ? Number(name) : name
        return [[key], ...pathsIn(inner).map((path) => [key, ...path])]
      })

const mark = '(here)'

/** The text of a document with another value in one place; without the value it has, if there is none. */
function withValue(document: Json, path: readonly Key[], text: string | undefined): string {
  const copy = structuredClone(document) as Record<Key, unknown>
  let at = copy
  for (const key of path.slice(0, -1)) at = at[key] as Record<Key, unknown>
  const last = path.at(-1) ?? ''
  if (text === undefined && Array.isArray(at)) at.splice(Number(last), 1)
  else if (text === undefined) Reflect.deleteProperty(at, last)
  else at[last] = mark
  return JSON.stringify(copy).replace(JSON.stringify(mark), () => text ?? '')
}

function* texts(): Generator<string> {
  for (const document of whole) yield JSON.stringify(document)
  yield* whatIsNoFile
  for (const document of whole) {
    for (const path of pathsIn(document)) {
      yield withValue(document, path, undefined)
      for (const text of oddities) yield withValue(document, path, text)
      for (const text of particular[String(path.at(-1))] ?? []) {
        yield withValue(document, path, JSON.stringify(text))
      }
    }
  }
}

/** The code and the message of the error; empty for a file that is accepted. */
function saidOf(text: string): string[] {
  try {
    new TOTPServerAuthScheme(schemeOptions(text, {}))
    return []
  } catch (error) {
    return isTOTPError(error) ? [error.code, error.message] : ['thrown', String(error)]
  }
}

/** The words are the same, but for the name of an option, where JSON is broken, and for a list in place of an object. */
function sameSaid(ours: readonly string[], theirs: readonly string[]): boolean {
  const [code = '', message = ''] = ours
  const [theirCode = '', theirMessage = ''] = theirs
  if (code !== theirCode) return false
  const words = message.replace('allowWeakSeeds', 'allow_weak_seeds')
  return (
    words === theirMessage || words.startsWith('it is not JSON') || theirMessage.endsWith('must be an object')
  )
}

describeWith('a2a-1', 'a server file, read by Python', () => {
  it('is accepted and refused as by TypeScript, whatever is in it', () => {
    const files = [...texts()]
    const input = files
      .map((text) => JSON.stringify(text).replace(/[\ud800-\udfff\u2028\u2029]/g, escaped))
      .join('\n')
    const path = fileURLToPath(new URL('../../python/src', import.meta.url))
    const told = runPython('a2a-1', [`${pythonTests}server_files.py`], { path, input: `${input}\n` })
    const theirs = told
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as string[])
    expect(theirs).toHaveLength(files.length)
    const differing = files.flatMap((text, index) => {
      const [ours, other] = [saidOf(text), theirs[index] ?? []]
      return sameSaid(ours, other) ? [] : [{ text, ours, other }]
    })
    expect(differing.slice(0, 10)).toEqual([])
    expect(theirs.filter((said) => said.length === 0).length).toBeGreaterThan(50)
    expect(files.length).toBeGreaterThan(3000)
  })
})

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
