import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe.each(['how-it-works', 'sidecars'])('docs/%s.svg', (name) => {
  const kept = readFileSync(join(root, `docs/${name}.svg`), 'utf8')

  it(`is what scripts/draw.mjs draws from scripts/${name}.json`, () => {
    const file = join(makeFolder(), 'drawn.svg')
    execFileSync(process.execPath, [join(root, 'scripts/draw.mjs'), name, file])
    expect(readFileSync(file, 'utf8')).toBe(kept)
  })

  it('describes itself, and brings colours for light and dark pages', () => {
    expect(kept).toMatch(/<title id="title">.+<\/title>\n.*<desc id="description">.+<\/desc>/)
    expect(kept).toContain('@media (prefers-color-scheme: dark)')
  })
})
