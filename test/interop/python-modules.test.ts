import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { algorithms, digitCounts } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { makeFolder } from '../support/cli.js'
import { numbers } from '../support/numbers.js'
import {
  describeWith,
  lastLineOf,
  pythonTests,
  runPython,
  startPython,
  type Venv,
} from '../support/python.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const config = ['--config', 'python/pyproject.toml']

/** All that `config` prints for Python, by what it is called in a folder. */
async function printAll(): Promise<{ folder: string; files: readonly string[] }> {
  const folder = makeFolder()
  const peer = peerOf('alice')
  const roster = rosterOf([peer])
  for (const format of ['python', 'crewai'] as const) {
    for (const vendored of [false, true]) {
      const server = await renderServerFragment(format, { roster, at: lookAt, vendored })
      const client = await renderClientFragment(format, { roster, peer, at: lookAt, vendored })
      const name = `${format}_${vendored ? 'vendored' : 'short'}`
      writeFileSync(join(folder, `${name}_server.py`), server.content)
      writeFileSync(join(folder, `${name}_client.py`), client.content)
    }
  }
  const files = readdirSync(folder).map((name) => join(folder, name))
  expect(files).toHaveLength(8)
  return { folder, files }
}

describeWith('a2a-1', 'Python’s own tools', () => {
  it('find nothing to lint and nothing to format in the package and its tests', () => {
    runPython('a2a-1', ['-m', 'ruff', 'check', '--no-cache', 'python', pythonTests])
    const defaults = ['--isolated', '--line-length', '120']
    runPython('a2a-1', ['-m', 'ruff', 'check', '--no-cache', ...defaults, 'python/src'])
    runPython('a2a-1', ['-m', 'ruff', 'format', '--no-cache', '--check', 'python', pythonTests])
  })

  it('find nothing to lint in what is printed, with their defaults and with ours', async () => {
    const { files } = await printAll()
    for (const options of [['--isolated'], ['--isolated', '--select', 'E4,E7,E9,F'], config])
      runPython('a2a-1', ['-m', 'ruff', 'check', '--no-cache', ...options, ...files])
    runPython('a2a-1', ['-m', 'ruff', 'format', '--no-cache', '--check', ...config, ...files])
  })

  /** Reading crewAI's own types takes minutes, so here its classes count as untyped. */
  const untypedBases = [
    '--follow-imports=skip',
    '--allow-subclassing-any',
    '--allow-untyped-decorators',
    '--no-warn-unused-ignores',
    '--no-warn-return-any',
  ]

  it.each([
    ['a2a-sdk 0.3', 'a2a-0.3', 'python', [], ['typed_0_3.py']],
    ['a2a-sdk 1.x', 'a2a-1', 'python', [], ['typed_1_x.py']],
    ['crewAI', 'crewai', 'crewai', untypedBases, []],
  ] as const)('find the types right against %s', async (_, venv, format, flags, programs) => {
    const { files } = await printAll()
    // The oldest that the package promises to run on: what came with a later one is an error then.
    const python = [
      ...['--python-version', '3.10'],
      ...['--python-executable', `.venvs/${venv}/bin/python`],
      ...['--cache-dir', `.venvs/${venv}/mypy`],
    ]
    const printed = files.filter((file) => file.includes(`/${format}_`))
    const crewai = format === 'crewai'
    const ours = crewai ? ['python/src/a2a_totp/crewai'] : ['python/src/a2a_totp', '--exclude', '/crewai/']
    const strict = ['-m', 'mypy', '--strict', ...flags, ...python]
    const path = 'python/src'
    runPython('a2a-1', [...strict, ...ours], { path, env: { MYPYPATH: path } })
    const ofUsers = programs.map((name) => pythonTests + name)
    runPython('a2a-1', [...strict, ...printed, ...ofUsers], { path, env: { MYPYPATH: path } })
  })
})

for (const venv of ['a2a-0.3', 'a2a-1', 'crewai'] satisfies Venv[]) {
  describeWith(venv, `the Python package with ${venv}`, () => {
    it('passes its own tests', async () => {
      // What Redis remembers does not depend on the SDK.
      const chosen = venv === 'a2a-1' ? [] : ['-k', 'not redis']
      const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', ...chosen, 'python/tests']
      // There, what a test needs and does not find is a failure.
      const env = { CI: process.env['CI'] ?? '' }
      const run = (): Promise<string> => lastLineOf(startPython(venv, args, { env }))
      // The package is Python alone, so what ends the interpreter is native code of others (2 of 11 runs of a2a-sdk 1.x).
      const isCrash = ({ message }: Error): boolean =>
        message.includes('Fatal Python error: Segmentation fault')
      await run().catch((error: unknown) => {
        if (!(error instanceof Error && isCrash(error))) throw error
        console.warn(error.message.split('\n').slice(0, 6).join('\n'))
        return run()
      })
    }, 600_000)
  })
}

describeWith('a2a-1', 'pyotp', () => {
  const rounds = 10_000
  const program = `
import hashlib, json, sys, pyotp
digests = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}
print(json.dumps([
    pyotp.TOTP(c["seed"], digits=c["digits"], digest=digests[c["algorithm"]], interval=c["period"]).at(c["at"])
    for c in json.load(sys.stdin)
]))`

  it(`agrees on ${rounds} random codes`, () => {
    const random = numbers(20_261_124)
    const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
    const cases = Array.from({ length: rounds }, () => {
      const seed = Seed.fromBytes(Uint8Array.from({ length: 16 + random(49) }, () => random(256)))
      return {
        seed,
        algorithm: pick(algorithms),
        digits: pick(digitCounts),
        period: 10 + random(111),
        at: random(4e9),
      }
    })
    const input = JSON.stringify(cases.map((each) => ({ ...each, seed: each.seed.base32 })))
    const theirs: unknown = JSON.parse(runPython('a2a-1', ['-c', program], { input }))
    const ours = cases.map(({ seed, at, ...profile }) =>
      generateCodeOfStep(seed, profile, Math.floor(at / profile.period)),
    )
    expect(theirs).toEqual(ours)
  })
})
