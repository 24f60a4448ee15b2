import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, runBinary } from '../support/cli.js'

describe('a process that has nothing left to wait for', () => {
  it('does not end with 0 before its command has ended', async () => {
    const cwd = await makeStore(['alice'])
    const preload = join(cwd, 'silent.cjs')
    writeFileSync(
      preload,
      `const stdin = new (require('node:stream').Readable)({ read() {} })
      Object.defineProperty(process, 'stdin', { value: stdin })`,
    )
    const env = { NODE_OPTIONS: `--require ${preload}` }
    expect(await runBinary(['verify', '-', 'alice'], { cwd, env })).toEqual({
      exitCode: 70,
      stdout: '',
      stderr:
        'error: this is a bug in a2a-totp: it ended before the command did; please report it (ERR_INTERNAL)\n',
    })
  })

  it('ends with 130 where a question is open', async () => {
    const cli = fileURLToPath(new URL('../../src/cli', import.meta.url))
    const script = join(makeFolder(), 'asking.cjs')
    await build({
      stdin: {
        contents: `import { PassThrough } from 'node:stream'
          import { ask } from './io/prompt.js'
          import { runProcess } from './process.js'
          const stdin = Object.assign(new PassThrough(), { setRawMode() {} })
          runProcess((_, system) => ask('Sure?', { ...system, stdin }))`,
        resolveDir: cli,
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    })
    const { status, stderr } = spawnSync(process.execPath, [script])
    expect({ status, stderr: stderr.toString() }).toEqual({
      status: 130,
      stderr:
        '\rSure? \nerror: this is a bug in a2a-totp: it ended with a question open; please report it (ERR_INTERNAL)\n',
    })
  })
})
