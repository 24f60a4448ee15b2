import { execFileSync, spawn } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { contentOf } from '../../src/mesh/apply/places.js'
import { makeFolder } from '../support/cli.js'

describe('looking at what was delivered', () => {
  it('finds the document in a regular file', () => {
    const file = join(makeFolder(), 'alice.json')
    writeFileSync(file, '{"version":1}')
    expect(contentOf(file)).toEqual({ version: 1 })
  })

  it('takes nothing from a pipe, for which it would wait', () => {
    const pipe = join(makeFolder(), 'alice.json')
    execFileSync('mkfifo', [pipe])
    // Whoever does read it gets this, so that the test ends.
    const writer = spawn('sh', ['-c', 'echo {} > "$0"', pipe])
    onTestFinished(() => void writer.kill())
    expect(contentOf(pipe)).toBeUndefined()
  })

  it('follows no link, which may lead to a device', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'other.json'), '{}')
    symlinkSync(join(folder, 'other.json'), join(folder, 'alice.json'))
    expect(contentOf(join(folder, 'alice.json'))).toBeUndefined()
  })
})
