import { describe, expect, it } from 'vitest'
import { credentialsOf, sourceOf } from '../../src/server/scheme/request.js'
import { requestWith } from '../support/guarded.js'

describe('the source of a request made in plain JavaScript', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const throwing = (): never => {
    throw new Error('not for you')
  }

  it.each<[string, PropertyDescriptor, string | undefined]>([
    ['a text as it is', { value: '192.0.2.1' }, '192.0.2.1'],
    ['no text for undefined', { value: undefined }, undefined],
    ['no text for null', { value: null }, undefined],
    ['JSON of an object', { value: { ip: 1 } }, '{"ip":1}'],
    ['JSON of a number', { value: 5 }, '5'],
    ['unreadable for a symbol', { value: Symbol('x') }, 'unreadable'],
    ['unreadable for a function', { value: throwing }, 'unreadable'],
    ['unreadable for a circle', { value: circular }, 'unreadable'],
    ['unreadable where reading it fails', { get: throwing }, 'unreadable'],
  ])('is %s', (_, given, source) => {
    expect(sourceOf(Object.defineProperty({}, 'source', given))).toBe(source)
  })
})

describe('the token of a request', () => {
  it.each(['', 'Bearer', 'Bearer a b', 'Basic x'])('is none, and malformed, in %j', (authorization) => {
    const request = requestWith({ Authorization: authorization, 'X-TOTP': '123456' })
    expect(credentialsOf(request, 'x-totp')).toEqual({
      tokenGiven: true,
      token: undefined,
      code: '123456',
      flaw: 'token-malformed',
    })
  })
})
