import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { stampVendored, vendoredVersion } from '../../src/fragments/vendored.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const text = '"""A module."""\n\nx = 1\n'
const stamped = stampVendored(text, '1.2.3-rc.1')

describe('the line of a vendored file', () => {
  it('has the version, and the digest of the text without the line', () => {
    const digest = createHash('sha256').update(text).digest('hex')
    expect(stamped).toBe(`# a2a-totp 1.2.3-rc.1, sha256:${digest}\n${text}`)
  })

  it('is true until someone changes the file', () => {
    expect(vendoredVersion(stamped)).toEqual({ version: '1.2.3-rc.1', intact: true })
    expect(vendoredVersion(stamped.replace('x = 1', 'x = 2'))).toEqual({
      version: '1.2.3-rc.1',
      intact: false,
    })
    expect(vendoredVersion(`${stamped}\n`)).toMatchObject({ intact: false })
    expect(vendoredVersion(`#!/usr/bin/env python3\n${stamped}`)).toMatchObject({ intact: false })
    expect(vendoredVersion(stamped.replace('sha256:', 'sha256:0').replace(/.$/m, ''))).toMatchObject({
      intact: false,
    })
  })

  it('stays true where git converts the line endings', () => {
    expect(vendoredVersion(stamped.replaceAll('\n', '\r\n'))).toMatchObject({ intact: true })
  })

  it('is not needed to know a module of version 0.1, whole or changed', () => {
    const of01 = readFileSync(new URL('module-of-0.1.py', import.meta.url), 'utf8')
    expect(vendoredVersion(of01)).toEqual({ version: '0.1', intact: true })
    expect(vendoredVersion(of01.replaceAll('\n', '\r\n'))).toEqual({ version: '0.1', intact: true })
    expect(vendoredVersion(`${of01}x = 1\n`)).toEqual({ version: '0.1', intact: false })
  })

  it.each(['', text, '# a2a-totp\n', '# a2a-totp 1.2.3, sha256:abc\n', 'x = 1 # a2a-totp 1, sha256:'])(
    'is missing in %j',
    (other) => {
      expect(vendoredVersion(other)).toBeUndefined()
    },
  )
})

const alice = peerOf('alice')
const roster = rosterOf([alice])

it.each(['python', 'crewai'] as const)(
  'the vendored %s files say which version made them',
  async (format) => {
    const server = await renderServerFragment(format, { roster, at: lookAt, vendored: true })
    const client = await renderClientFragment(format, { roster, peer: alice, at: lookAt, vendored: true })
    for (const { content } of [server, client]) {
      expect(vendoredVersion(content)).toEqual({ version: packageJson.version, intact: true })
    }
  },
)
