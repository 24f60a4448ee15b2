import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { scan } from '../secrecy/scan.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const recorder = fileURLToPath(new URL('../secrecy/recorder.cjs', import.meta.url))

/** Runs one of the suites as its script does, recorded; gives what the run itself printed. */
async function recordedRun(
  project: string,
  folder: string,
): Promise<{ status: number | null; printed: string }> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'))
  const runner = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', project], {
    cwd: root,
    env: {
      ...Object.fromEntries(own),
      NODE_OPTIONS: `--require ${JSON.stringify(recorder)}`,
      SECRECY_NOTES: folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [runner.stdout, runner.stderr]) {
    stream.setEncoding('latin1').on('data', (chunk: string) => (printed += chunk))
  }
  const status = await new Promise<number | null>((done) => runner.once('close', done))
  return { status, printed }
}

// Its tests start some thousand processes.
const timeout = 7_200_000

it.each([
  ['suite', 10_000],
  ['interop', 100],
])(
  'the whole %s shows no seed and no token, whatever it prints, logs or raises',
  { timeout },
  async (project, least) => {
    const folder = join(makeFolder(), 'notes')
    mkdirSync(folder)
    const { status, printed } = await recordedRun(project, folder)
    const { secrets, tooShort, bytes, errors, hits } = await scan(folder, printed)
    console.log(
      `${project}: ${secrets} seeds and tokens (${tooShort} shorter ones left out), ${bytes} bytes printed, ${errors} different errors raised: ${hits.length} hits`,
    )
    expect(hits).toEqual([])
    expect(secrets).toBeGreaterThan(least)
    expect(status, printed.slice(-4000)).toBe(0)
  },
)
