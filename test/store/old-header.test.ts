import { describe, expect, it } from 'vitest'
import { profileRules } from '../../src/core/profile.js'
import { wasHeaderName } from '../../src/store/old-header.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { rosterOf } from '../support/roster.js'
import { errorOf } from '../support/store-folder.js'

describe('a field for the code in a store of version 0.1', () => {
  it.each([
    'X-TOTP',
    '!#$%&*+.^_`|~',
    'h'.repeat(64),
    // What only looks like a name that was refused.
    ...['X-Authorization', 'Authorization-2', 'Set-Cookie', 'Cookie2', 'X-Host', 'Hosts', 'A2A'],
    ...['X-A2A-Code', 'X-Grpc-Code', 'Bin', 'X-Bin-Code', 'X-Accept', 'Accept-Code', 'Content', 'Dates'],
    ...['Content-Types', 'X-Content-Type', 'X-Proxy-Code', 'Proxy', 'TES', 'Upgrades'],
  ])('may be %s', (name) => {
    expect(wasHeaderName(name)).toBe(true)
  })

  it.each([
    ...['', 'X TOTP', 'X-TOTP:', 'X-Cöde', 'X-TOTP\n', 'h'.repeat(65)],
    ...['Authorization', 'cookie', 'HOST', 'A2A-Version', 'a2a-', 'grpc-timeout', 'GRPC-', 'trace-bin'],
    ...['-bin', 'Accept', 'Connection', 'Content-Encoding', 'content-length', 'CONTENT-TYPE', 'Date'],
    ...['Expect', 'Keep-Alive', 'Proxy-Authorization', 'proxy-', 'TE', 'Trailer', 'Transfer-Encoding'],
    ...['Upgrade', 'Via'],
  ])('was never %j', (name) => {
    expect(wasHeaderName(name)).toBe(false)
  })

  it('is read where it would be refused today, so that another one can be chosen', () => {
    const text = formatStore(rosterOf([]))
    const withHeader = (name: string): string => text.replace('"X-TOTP"', JSON.stringify(name))
    for (const name of ['Set-Cookie', 'Origin', 'X-Forwarded-For']) {
      expect(profileRules.header.allows(name), name).toBe(false)
      expect(parseStore(withHeader(name)).roster.profile.header).toBe(name)
    }
    for (const name of ['Host', 'h'.repeat(65)])
      expect(errorOf(() => parseStore(withHeader(name)))).toMatchObject({ code: 'ERR_STORE_INVALID' })
  })
})
