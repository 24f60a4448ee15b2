import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TOTPError } from '../../src/core/errors.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'

const seed = Seed.fromBytes(Buffer.from('12345678901234567890'))
const token = Token.parse('a2at_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG')

/** All that a careless print could show of a secret: its text, its bytes in decimal, hex and base64. */
const traces = [
  seed.base32,
  '12345678901234567890',
  '49,50,51,52',
  '49, 50, 51, 52',
  '31323334',
  '31 32 33 34',
  Buffer.from(seed.bytes).toString('base64').slice(0, 12),
  token.value,
  token.value.slice(5),
]

const error = new TOTPError('ERR_SEED_INVALID', 'wrong', { cause: { seed, token } })
const holders = {
  bare: [seed, token],
  nested: { peer: { seeds: [{ id: 's1', seed }], tokens: new Map([['t1', token]]) } },
  'in a Set': new Set([seed, token]),
  'the cause of an error': error,
  'the cause of a cause': new Error('outer', { cause: error }),
  'an AggregateError': new AggregateError([error], 'several'),
}

const prints: Record<string, (value: unknown) => string> = {
  inspect: (value) => inspect(value, { depth: Infinity, showHidden: true, getters: false }),
  'inspect without custom inspection': (value) => inspect(value, { depth: Infinity, customInspect: false }),
  'JSON.stringify': (value) => JSON.stringify(value),
  String: (value) => String(value),
  'console.log': (value) => format('%s %o %O %j', value, value, value, value),
  'Object.entries': (value) => JSON.stringify(Object.entries(value as object)),
  structuredClone: (value) => inspect(structuredClone({ copy: value }), { depth: Infinity }),
  'error.stack': (value) => (value instanceof Error ? `${value.stack ?? ''} ${String(value.cause)}` : ''),
}

describe.each(Object.entries(holders))('a seed and a token, %s', (_where, holder) => {
  it.each(Object.entries(prints))('are not shown by %s', (_how, print) => {
    const shown = print(holder)
    for (const trace of traces) expect(shown).not.toContain(trace)
  })
})

describe('a secret', () => {
  it('says in its place what it is', () => {
    expect(inspect({ seed, token })).toBe('{ seed: [seed], token: [token] }')
    expect(JSON.stringify({ seed, token })).toBe('{"seed":"[seed]","token":"[token]"}')
    expect([String(seed), String(token)]).toEqual(['[seed]', '[token]'])
  })

  it('has no property of its own to copy or to walk through', () => {
    expect([Reflect.ownKeys(seed), Reflect.ownKeys(token)]).toEqual([[], []])
  })
})
