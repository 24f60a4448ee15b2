import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { clientFragments, serverFragments } from '../../src/fragments/index.js'
import { stampVendored } from '../../src/fragments/vendored.js'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const { version } = packageJson
const vendorable = ['python', 'crewai'] as const
const sides = [
  ['server', []],
  ['client', ['alice']],
] as const

describe.each(sides)('config %s --vendored', (side, name) => {
  it.each(vendorable)('prints %s as one file, which --check knows', async (format) => {
    const cwd = await makeStore(['alice'])
    const out = ['--vendored', '--out', 'module.py']
    expect(await runCli(['config', side, ...name, '--format', format, ...out], { cwd })).toMatchObject({
      exitCode: 0,
    })
    // Where the store is not.
    const elsewhere = makeFolder()
    writeFileSync(join(elsewhere, 'module.py'), readFileSync(join(cwd, 'module.py')))
    const check = ['config', side, '--check', 'module.py']
    expect(await runCli(check, { cwd: elsewhere })).toEqual({
      exitCode: 0,
      stdout: `module.py: matches a2a-totp ${version}\n`,
      stderr: '',
    })
    expect(parseJson(await runCli([...check, '--json'], { cwd: elsewhere }))).toEqual({
      file: 'module.py',
      version,
      intact: true,
      current: true,
    })
  })

  const table = side === 'server' ? serverFragments : clientFragments
  const others = Object.keys(table).filter((format) => !vendorable.some((one) => one === format))

  it.each(others)('is refused for %s, which is named', async (format) => {
    const cwd = await makeStore(['alice'])
    const run = await runCli(['config', side, ...name, '--format', format, '--vendored'], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain(`--vendored cannot be used with --format ${format}`)
  })
})

describe('config server --check', () => {
  const module = async (): Promise<string> =>
    (await runCli(['config', 'server', '--format', 'python', '--vendored'], { cwd: await makeStore([]) }))
      .stdout

  const check = async (text: string): Promise<{ exitCode: number; stdout: string; document: object }> => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'it.py'), text)
    const { exitCode, stdout } = await runCli(['config', 'server', '--check', 'it.py'], { cwd })
    const document = parseJson(await runCli(['config', 'server', '--check', 'it.py', '--json'], { cwd }))
    return { exitCode, stdout, document }
  }

  it('tells another version from a change by hand, another build and another file', async () => {
    const text = await module()
    const body = text.slice(text.indexOf('\n') + 1)
    const rows: [text: string, said: string, document: object][] = [
      [
        stampVendored(body, '0.0.9'),
        `was printed by a2a-totp 0.0.9; this is ${version}`,
        { version: '0.0.9', intact: true },
      ],
      [
        text.replace('import time\n', ''),
        `was changed after a2a-totp ${version} printed it`,
        { version, intact: false },
      ],
      [
        stampVendored(`${body}\n`, version),
        `was printed by another build of a2a-totp ${version}`,
        { version, intact: true },
      ],
      [body, 'not a vendored file', { version: null, intact: false }],
      ['', 'not a vendored file', { version: null, intact: false }],
    ]
    for (const [given, said, document] of rows) {
      const checked = await check(given)
      expect(checked).toMatchObject({ exitCode: 1, document: { ...document, current: false } })
      expect(checked.stdout).toContain(`it.py: ${said}`)
    }
  })

  it('takes the line endings that git has converted', async () => {
    const checked = await check((await module()).replaceAll('\n', '\r\n'))
    expect(checked).toMatchObject({ exitCode: 0, document: { intact: true, current: true } })
  })

  it.each([
    [['config', 'server', '--format', 'python', '--vendored', '--check', 'it.py']],
    [['config', 'client', 'alice', '--check', 'it.py']],
  ])('takes the words that made the file beside it: %j', async (args) => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'it.py'), await module())
    expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it.each([
    ['a missing file', ['config', 'server', '--check', 'none.py'], 3, /cannot be read \(ENOENT\)/],
    ['a seed in place of a file', ['import', 'A'.repeat(300)], 3, /cannot be read \(ENAMETOOLONG\)/],
    ['--out beside it', ['config', 'server', '--check', 'a.py', '--out', 'b'], 2, /--check and --out/],
    ['no peer without it', ['config', 'client'], 2, /missing required argument 'name'/],
  ])('refuses %s', async (_, args, exitCode, message) => {
    const run = await runCli(args, { cwd: await makeStore(['alice']) })
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toMatch(message)
  })
})
