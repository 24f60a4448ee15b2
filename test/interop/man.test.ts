import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manPages } from '../../scripts/man-pages.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()
const pages = await manPages({ version: '1.2.3', date: '2026-11-30' })
const paths = pages.map(({ file, text }) => {
  const path = join(folder, file)
  writeFileSync(path, text)
  return path
})

describe('the pages of the manual', () => {
  it('are what mandoc takes without a warning', () => {
    const { status, stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...paths], {
      encoding: 'utf8',
    })
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' })
  })

  it('are read as they were written', () => {
    const page = paths.find((path) => path.endsWith('/a2a-totp-code.1')) ?? ''
    const { stdout } = spawnSync('mandoc', ['-T', 'utf8', page], { encoding: 'utf8' })
    // Bold is a letter, a step back, and the letter again.
    const parts = stdout.split('\b')
    const read = parts.map((part, at) => (at < parts.length - 1 ? part.slice(0, -1) : part)).join('')
    expect(read).toMatch(/^NAME\n +a2a-totp-code - print a peer's current code\n/m)
    expect(read).toMatch(/^ +--store <path>$/m)
  })
})
