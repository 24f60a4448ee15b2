import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { memoryState, TOTPServerAuthScheme } from '../../src/server/index.js'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const run = (cwd: string, line: string): Promise<CliRun> =>
  runCli(line.split(' '), { cwd, env: { HOME: cwd } })
const read = (cwd: string, name = 'a2a-totp.json'): string => readFileSync(join(cwd, name), 'utf8')
const peersIn = (cwd: string, name: string): string[] =>
  Object.keys((JSON.parse(read(cwd, name)) as { peers: object }).peers)

describe('remove-peer --server-out', () => {
  it('writes what config server prints, and names the file', async () => {
    const cwd = await makeStore(['alice', 'bob', 'carol'])
    const removed = await run(cwd, 'remove-peer alice --server-out server.json --yes')
    const path = join(cwd, 'server.json')
    expect(removed).toEqual({ exitCode: 0, stdout: '', stderr: `removed alice\nwrote ${path}\n` })
    expect(read(cwd, 'server.json')).toBe((await run(cwd, 'config server')).stdout)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const again = await run(cwd, 'revoke bob --server-out server.json --yes --json')
    expect(parseJson(again)).toMatchObject({ removed: ['bob'], serverFile: path })
    expect(again.stderr).toBe('')
    expect(peersIn(cwd, 'server.json')).toEqual(['carol'])
  })

  it('keeps the mode of a file that is there', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'config server --out server.json')
    for (const mode of [0o640, 0o400]) {
      chmodSync(join(cwd, 'server.json'), mode)
      const name = mode === 0o640 ? 'alice' : 'bob'
      expect((await run(cwd, `remove-peer ${name} --server-out server.json --yes`)).exitCode).toBe(0)
      expect(statSync(join(cwd, 'server.json')).mode & 0o777).toBe(mode)
    }
  })

  it('warns where everybody can read the file, whose mode it keeps', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'config server --out server.json')
    chmodSync(join(cwd, 'server.json'), 0o644)
    const { exitCode, stderr } = await run(cwd, 'remove-peer alice --server-out server.json --yes')
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^warning: everybody .* mode 644; run: chmod o= .*server\.json$/m)
    expect(statSync(join(cwd, 'server.json')).mode & 0o777).toBe(0o644)
  })

  it('reaches an agent that follows the file', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'config server --out server.json')
    const printed = parseJson(await run(cwd, 'code alice --headers --json'))['headers']
    const headers = new Headers(printed as Record<string, string>)
    const callerNow = async (): Promise<string | undefined> => {
      const state = memoryState({ since: new Date(0) })
      const scheme = TOTPServerAuthScheme.fromFile(join(cwd, 'server.json'), { state })
      const { caller } = await scheme.authenticate({
        ...{ binding: 'http', method: 'GET', target: '/' },
        header: (name) => headers.get(name)?.split('\n') ?? [],
      })
      scheme.close()
      return caller?.peer
    }
    expect(await callerNow()).toBe('alice')
    await run(cwd, 'remove-peer alice --server-out server.json --yes')
    expect(await callerNow()).toBeUndefined()
  })

  it('warns when nobody is left', async () => {
    const cwd = await makeStore(['alice'])
    const { exitCode, stderr } = await run(cwd, 'remove-peer alice --server-out server.json --yes')
    expect(exitCode).toBe(0)
    expect(stderr).toContain('warning: the store has no peers, so the agent would refuse every caller\n')
    expect(peersIn(cwd, 'server.json')).toEqual([])
  })

  it.each([
    ['bob --server-out other.json --yes', 1, /is not a server file of/],
    ['bob --server-out a2a-totp.json --yes', 1, /is the store/],
    ['bob --server-out folder --yes', 3, /is not a regular file/],
    ['bob --server-out missing/server.json --yes', 3, /ERR_FILE_UNWRITABLE/],
    ['nobody --server-out server.json --yes', 1, /ERR_PEER_UNKNOWN/],
    ['bob --server-out other.json', 1, /is not a server file of/],
    ['bob --server-out server.json', 2, /ERR_CONFIRMATION_NEEDED/],
    ['bob --allow-weak-seed --yes', 2, /--allow-weak-seed needs --server-out/],
  ] as const)('refuses %j before it changes anything', async (args, exitCode, message) => {
    const cwd = await makeStore(['alice', 'bob'])
    mkdirSync(join(cwd, 'folder'))
    writeFileSync(join(cwd, 'other.json'), '{"agent":"other","peers":{}}')
    const before = read(cwd)
    const refused = await run(cwd, `remove-peer ${args}`)
    expect(refused).toMatchObject({ exitCode, stdout: '' })
    expect(refused.stderr).toMatch(message)
    expect(read(cwd)).toBe(before)
    expect(existsSync(join(cwd, 'server.json'))).toBe(false)
  })

  it('refuses a file that the agent would refuse, unless the agent allows it', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'weak'), 'JBSWY3DPEHPK3PXP\n')
    await run(cwd, 'add-peer weak --seed-file weak --allow-weak-seed')
    const before = read(cwd)
    const refused = await run(cwd, 'remove-peer alice --server-out server.json --yes')
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toContain('rotate weak --seed --now')
    expect(read(cwd)).toBe(before)
    const allowed = await run(cwd, 'remove-peer alice --server-out server.json --allow-weak-seed --yes')
    expect(allowed.exitCode).toBe(0)
    expect(peersIn(cwd, 'server.json')).toEqual(['weak'])
  })

  it('takes the weak peer out of a file that the agent would refuse', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'weak'), 'JBSWY3DPEHPK3PXP\n')
    await run(cwd, 'add-peer weak --seed-file weak --allow-weak-seed')
    expect((await run(cwd, 'remove-peer weak --server-out server.json --yes')).exitCode).toBe(0)
    expect(peersIn(cwd, 'server.json')).toEqual(['alice'])
  })

  it('says that the peer still gets in when the file cannot be written after the removal', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const said: string[] = []
    const stdout: string[] = []
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => true })
    const exitCode = await main(['remove-peer', 'alice', '--server-out', 'server.json'], {
      env: { HOME: cwd },
      cwd,
      stdin: () => stdin,
      stdout: { write: (text) => stdout.push(text) > 0 },
      stderr: {
        isTTY: true,
        columns: 80,
        write: (text) => {
          // Somebody else takes the name between the question and the answer.
          if (text.includes('Remove alice')) {
            writeFileSync(join(cwd, 'server.json'), '{"agent":"other","peers":{}}')
            stdin.write('y\n')
          }
          return said.push(text) > 0
        },
      },
      signal: new AbortController().signal,
    })
    expect(exitCode).toBe(1)
    expect(said.join('')).toMatch(
      /removed alice, but the server file was not written: .* is not a server file of .*; until .* --out FILE --force \(ERR_DELIVERY_FAILED\)/,
    )
    expect(read(cwd, 'server.json')).toContain('other')
    expect(peersIn(cwd, 'a2a-totp.json')).toEqual(['bob'])
  })
})
