import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import { TOTPServerAuthScheme, type AuthEvent, type ServerFileEvent } from '../../src/server/index.js'
import { temporaryFolder } from '../support/folder.js'
import { serverFile } from '../support/server-file.js'

const folder = temporaryFolder()
let files = 0

function followed(document: object): {
  scheme: TOTPServerAuthScheme
  path: string
  events: (AuthEvent | ServerFileEvent)[]
} {
  const path = join(folder, `server-${++files}.json`)
  writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
  const events: (AuthEvent | ServerFileEvent)[] = []
  const scheme = TOTPServerAuthScheme.fromFile(path, { onEvent: (event) => events.push(event) })
  onTestFinished(() => scheme.close())
  return { scheme, path, events }
}

it('says which file is in force', () => {
  const before = Date.now()
  const { scheme, path } = followed({ ...serverFile(), serial: 7 })
  expect(scheme.serverFile).toMatchObject({ path, serial: 7, canaries: 0 })
  expect(scheme.serverFile?.peers).toEqual(new Set(['alice', 'bob']))
  const loadedAt = scheme.serverFile?.loadedAt.getTime()
  expect(loadedAt).toBeGreaterThanOrEqual(before)
  expect(loadedAt).toBeLessThanOrEqual(Date.now())
})

it('says how many canaries the file in force has', () => {
  const canaries = ['a2at_one', 'a2at_two'].map((token) => ({
    name: 'trap',
    id: token,
    hash: hashToken(token),
  }))
  expect(followed({ ...serverFile(), canaries }).scheme.serverFile?.canaries).toBe(2)
})

it('reads the file when it is told to, before it returns', () => {
  const { scheme, path, events } = followed({ ...serverFile(), serial: 7 })
  scheme.reload()
  expect(events).toMatchObject([{ type: 'server_file_loaded', path, serial: 7 }])
  writeFileSync(path, JSON.stringify({ ...serverFile(), serial: 8 }))
  scheme.reload()
  expect(events[1]).toMatchObject({ type: 'server_file_loaded', serial: 8 })
  expect(scheme.serverFile?.serial).toBe(8)
})

it('keeps the file in force if the one that it is told to read is broken', () => {
  const { scheme, path, events } = followed({ ...serverFile(), serial: 7 })
  const before = scheme.serverFile
  writeFileSync(path, '{')
  scheme.reload()
  expect(events).toMatchObject([{ type: 'server_file_refused', code: 'ERR_CONFIG_INVALID' }])
  expect(scheme.serverFile).toBe(before)
})

it('reads nothing once it is closed', () => {
  const { scheme, path, events } = followed({ ...serverFile(), serial: 7 })
  scheme.close()
  writeFileSync(path, JSON.stringify({ ...serverFile(), serial: 8 }))
  scheme.reload()
  expect(events).toEqual([])
  expect(scheme.serverFile?.serial).toBe(7)
})
