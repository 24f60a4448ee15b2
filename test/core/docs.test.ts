import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it, vi } from 'vitest'
import { temporaryFolder } from '../support/folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('docs/core.md: its lines print what they say', async () => {
  const [, contents = ''] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'docs/core.md'), 'utf8')) ?? []
  const outfile = join(temporaryFolder(), 'page.cjs')
  await build({
    stdin: { contents, loader: 'ts', resolveDir: root },
    alias: { 'a2a-totp': './src/index.ts' },
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  })
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  createRequire(import.meta.url)(outfile)
  const printed = log.mock.calls.map((texts) => texts.join(' '))
  log.mockRestore()
  expect(printed).toEqual([
    expect.stringMatching(/^\d{8}, for another \d+ s$/),
    expect.stringMatching(/^time step \d+, drift 0$/),
    'alice [seed] [token]',
    expect.stringContaining('"security":[{"bearer":[],"totp":[]}]'),
  ])
})
