import { describe, expect, it } from 'vitest'
import { admittedTarget, isPathToken, withoutToken } from '../../../src/sidecar/proxy/local-auth.js'

const token = 'local-token-123'
const request = (target: string, fields: readonly string[] = [], isGrpc = false) => ({
  target,
  fields,
  isGrpc,
})

describe('a listener with --local-auth header', () => {
  const auth = { kind: 'header', token } as const

  it.each(['Bearer', 'bearer'])('admits %s and the token, once', (scheme) => {
    expect(admittedTarget(auth, request('/rpc?a=b', ['Authorization', `${scheme} ${token}`]))).toBe(
      '/rpc?a=b',
    )
  })

  it.each([
    [[]],
    [['Authorization', `Bearer ${token}x`]],
    [['Authorization', token]],
    [['Authorization', `Basic ${token}`]],
    [['Authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`]],
    [['Authorization', `Bearer ${token}, Bearer ${token}`]],
    [['X-Authorization', `Bearer ${token}`]],
  ])('refuses %j', (fields) => {
    expect(admittedTarget(auth, request('/rpc', fields))).toBeUndefined()
  })
})

describe('a listener with --local-auth url', () => {
  const auth = { kind: 'url', token } as const

  it.each([
    [`/${token}/rpc?a=b`, '/rpc?a=b'],
    [`/${token}`, '/'],
    [`/${token}/`, '/'],
    [`/${token}?a=b`, '/?a=b'],
  ])('takes the token off %s', (target, behind) => {
    expect(admittedTarget(auth, request(target))).toBe(behind)
  })

  it.each([
    '/',
    '/rpc',
    `//${token}/rpc`,
    `/x/${token}`,
    `/${token}x/rpc`,
    `/${token}/${token}/rpc`,
    `/?${token}`,
  ])('refuses %s', (target) => {
    expect(admittedTarget(auth, request(target))).toBeUndefined()
  })

  it('refuses gRPC, whose paths have no place for it', () => {
    expect(admittedTarget(auth, request(`/${token}/pkg.Service/Method`, [], true))).toBeUndefined()
  })

  it('lets no field leave that has the token in it', () => {
    expect(withoutToken(auth, ['Referer', `http://h/${token}/`, 'Accept', '*/*'])).toEqual(['Accept', '*/*'])
  })

  it('takes tokens that are one segment alone', () => {
    expect(['abc-1._~', 'a/b', 'a?b', '..', '.', '', 'a b', 'ä'].filter(isPathToken)).toEqual(['abc-1._~'])
  })
})
