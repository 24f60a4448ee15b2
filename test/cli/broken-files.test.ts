import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, runCli } from '../support/cli.js'

const pathIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const change = (cwd: string, edit: (text: string) => string | Buffer): void =>
  writeFileSync(pathIn(cwd), edit(readFileSync(pathIn(cwd), 'utf8')))

/** What a person's editor does to a store, and what is said. */
const mistakes: readonly (readonly [what: string, edit: (text: string) => string | Buffer, words: string])[] =
  [
    [
      'a comma missing',
      (text) => text.replace('"replay": "reuse",', '"replay": "reuse"'),
      'line 15, column 3: expected , or }',
    ],
    [
      'a comma too many',
      (text) => text.replace('"X-TOTP"\n', '"X-TOTP",\n'),
      'line 13, column 3: expected a key',
    ],
    [
      'a comment',
      (text) => text.replace('"peers"', '// ours\n"peers"'),
      'line 16, column 3: expected a key in double quotes; JSON has no comments',
    ],
    [
      'single quotes',
      (text) => text.replace('"agent": {', "'agent': {"),
      'line 4, column 3: expected a key in double quotes; JSON has " as its only quotes',
    ],
    ['the end cut off', (text) => text.slice(0, 60), 'but the file ends here'],
    ['nothing in it', () => '', 'line 1, column 1: expected a value, but the file ends here'],
    [
      'a peer twice',
      (text) => text.replace('"bob": {', '"alice": {'),
      'the store has a key twice: line 18, column 5: expected another key, since this one is in line 17 already',
    ],
    ['UTF-16', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'), 'the store is UTF-16; save it as UTF-8'],
    [
      'UTF-16 without a mark',
      (text) => Buffer.from(text, 'utf16le'),
      'the store is UTF-16; save it as UTF-8',
    ],
    [
      'Latin-1',
      (text) => Buffer.from(text.replace('"alice"', '"\xe4"'), 'latin1'),
      'the store is not UTF-8 text',
    ],
  ]

describe('a store that an editor broke', () => {
  it.each(mistakes)('%s: says where, what helps, and nothing of what it holds', async (_, edit, words) => {
    const cwd = await makeStore(['alice', 'bob'])
    const secrets = readFileSync(pathIn(cwd), 'utf8').match(/[A-Z2-7]{32}|a2at_[\w-]+/g) ?? []
    change(cwd, edit)
    const broken = readFileSync(pathIn(cwd))
    for (const args of [['list'], ['add-peer', 'carol'], ['code', 'alice', '--json']]) {
      const { exitCode, stdout, stderr } = await runCli(args, { cwd })
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
      expect(
        args.includes('--json')
          ? (JSON.parse(stderr) as { error: { message: string } }).error.message
          : stderr,
      ).toContain(words)
      expect(stderr).toContain('restore it from a backup; `a2a-totp doctor` checks it')
      expect(stderr.trim().split('\n')).toHaveLength(1)
      for (const secret of secrets) expect(stderr).not.toContain(secret.slice(0, 8))
    }
    expect(readFileSync(pathIn(cwd))).toEqual(broken)
  })

  it('names undo where the store before the last change is there', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(`${pathIn(cwd)}.bak-prev`, readFileSync(pathIn(cwd)), { mode: 0o600 })
    change(cwd, (text) => text.replace('{', '{,'))
    expect((await runCli(['list'], { cwd })).stderr).toContain(
      'line 1, column 2: expected a key in double quotes, or }; run `a2a-totp undo` for the store before its last change, or correct it',
    )
  })

  it('a byte order mark of UTF-8 does no harm', async () => {
    const cwd = await makeStore(['alice'])
    change(cwd, (text) => `\uFEFF${text}`)
    expect((await runCli(['code', 'alice'], { cwd })).exitCode).toBe(0)
  })
})

describe('other JSON that a user hands in', () => {
  const places: readonly (readonly [file: string, args: readonly string[], code: number])[] = [
    ['the file to import', ['import', 'given'], 3],
    ['the agent card', ['config', 'card', '--merge', 'given'], 3],
    ['the file given to --ignore', ['probe', 'http://127.0.0.1:1', 'alice', '--ignore', 'given'], 2],
    ['the file given to --card-jwks', ['probe', 'http://127.0.0.1:1', 'alice', '--card-jwks', 'given'], 2],
  ]

  it.each(places)('%s: line and column, or its encoding', async (what, args, code) => {
    const cwd = await makeStore(['alice'])
    const run = async (content: string | Buffer): Promise<string> => {
      writeFileSync(join(cwd, 'given'), content)
      const { exitCode, stdout, stderr } = await runCli(args, { cwd })
      expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' })
      return stderr
    }
    expect(await run('{"name": "carol",\n "secret" "x"}')).toContain(
      `${what} is not JSON: line 2, column 11: expected :`,
    )
    expect(await run(Buffer.from('\uFEFF[]', 'utf16le'))).toContain(`${what} is UTF-16; save it as UTF-8`)
  })

  it('an import with a key twice', async () => {
    const cwd = await makeStore()
    const stdin = '[{"name": "carol",\n"name": "dave"}]'
    const { exitCode, stderr } = await runCli(['import', '-'], { cwd, stdin })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('the file to import has a key twice: line 2, column 1')
  })

  it.each(['--seed-file', '--token-file'])('%s in UTF-16', async (option) => {
    const cwd = await makeStore()
    writeFileSync(join(cwd, 'given'), Buffer.from('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'utf16le'))
    const { exitCode, stderr } = await runCli(['add-peer', 'carol', option, 'given'], { cwd })
    expect(exitCode).toBe(3)
    expect(stderr).toContain(`the file given to ${option} is UTF-16; save it as UTF-8`)
  })

  it('a variable with what a shell took from a file in UTF-16', async () => {
    const cwd = await makeStore()
    const env = { A2A_TOTP_SEED: '\uFFFD\uFFFDGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }
    const { exitCode, stderr } = await runCli(['code'], { cwd, env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('$A2A_TOTP_SEED is UTF-16; save it as UTF-8')
  })
})
