import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseClientFile } from '../../src/client/file/client-file.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { agentSchema, callSchema, defaultsSchema, peerSchema } from '../../src/mesh/file/schema.js'
import { makeFolder, runCli } from '../support/cli.js'
import { blocksOf } from '../support/pages.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(join(root, 'docs/mesh.md'), 'utf8')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = blocksOf({ path: 'docs/mesh.md', text })
const pages = [...blocks, ...blocksOf({ path: 'README.md', text: readme })]

describe('docs/mesh.md', () => {
  it('has every key of a mesh file, with the places where it may stand, and no other', () => {
    const rows = Array.from(
      text.matchAll(/^\| `(\w+)` +\| (yes)? *\| (yes)? *\| (yes)? *\| (yes)? *\|/gm),
      ([, key = '', ...places]) => [key, places.map(Boolean)] as const,
    )
    const schemas = [defaultsSchema, agentSchema, peerSchema, callSchema]
    const keys = new Set(schemas.flatMap(({ entries }) => Object.keys(entries)))
    const expected = [...keys].map((key) => [key, schemas.map(({ entries }) => key in entries)] as const)
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected))
  })

  it('shows mesh files that can be read', () => {
    const files = pages.filter(({ language, code }) => language === 'yaml' && code.includes('# mesh.yaml'))
    expect(files.map(({ code }) => parseMesh(code, '/mesh/mesh.yaml').edges.length)).toEqual([5, 3])
  })

  it('shows a job whose checkout leaves what git ignores, as stores are', () => {
    const [job] = blocks.filter(
      ({ language, code }) => language === 'yaml' && code.includes('actions/checkout'),
    )
    expect(job?.code).toMatch(/actions\/checkout@v4\n +with: \{ clean: false \}/)
  })

  it('shows a client file that can be read', () => {
    const [file] = blocks.filter(({ language }) => language === 'json')
    const filled = (file?.code ?? '')
      .replaceAll('"token": "…"', `"token": "${'t'.repeat(43)}"`)
      .replaceAll('"seed": "…"', `"seed": "${'A'.repeat(32)}"`)
    expect([...parseClientFile(filled).agents.keys()]).toEqual(['billing', 'stock'])
  })

  it('shows commands and options that exist', async () => {
    const lines = pages
      .filter(({ language }) => ['sh', 'yaml', 'console'].includes(language))
      .flatMap(({ code }) => code.split('\n'))
      .flatMap((line) => /a2a-totp (mesh \w+.*)$/.exec(line)?.[1]?.replace(/ {2,}#.*| > .*/, '') ?? [])
    expect(lines.length).toBeGreaterThan(15)
    const cwd = makeFolder()
    for (const line of lines) {
      const [group = '', name = '', ...words] = line.split(' ')
      const { stdout: help } = await runCli([group, name, '--help'], { cwd })
      for (const option of words.filter((word) => word.startsWith('--') && word !== '--json'))
        expect(help, line).toMatch(new RegExp(`^ +(-\\w, )?${option}\\b`, 'm'))
    }
  })
})
