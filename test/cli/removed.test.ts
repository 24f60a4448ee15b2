import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withRemoved } from '../../src/core/removed.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const now = new Date('2030-01-01T00:00:00Z')

/** A store from which `bob` was removed, with or without what is kept of him. */
function removeBob(cwd: string, keeps: boolean): void {
  const path = join(cwd, 'a2a-totp.json')
  const { removed, ...rest } = withRemoved(parseStore(readFileSync(path, 'utf8')).roster, ['bob'], now)
  writeFileSync(path, formatStore(keeps ? { ...rest, removed } : rest))
}

it('a removed peer whose credentials are kept is shown, listed, exported and handed out nowhere', async () => {
  const kept = await makeStore(['alice', 'bob'])
  const gone = makeFolder()
  writeFileSync(join(gone, 'a2a-totp.json'), readFileSync(join(kept, 'a2a-totp.json')), { mode: 0o600 })
  removeBob(kept, true)
  removeBob(gone, false)
  expect(readFileSync(join(kept, 'a2a-totp.json'), 'utf8')).toContain('"removed": [')
  for (const args of [
    ['list', '--json'],
    ['list'],
    ['show', 'alice', '--json'],
    ['export', '--reveal'],
    ...['json', 'maps', 'yaml', 'python', 'kubernetes'].map((format) => [
      ...['config', 'server', '--format', format],
    ]),
    ['config', 'card'],
    ['show', 'bob'],
    ['code', 'bob'],
    ['config', 'client', 'bob'],
  ]) {
    const [one, other] = [await runCli(args, { cwd: kept, now }), await runCli(args, { cwd: gone, now })]
    expect(one.stdout.replaceAll(kept, gone), args.join(' ')).toBe(other.stdout)
    expect(one.exitCode, args.join(' ')).toBe(other.exitCode)
  }
})

it('what is kept of a removed peer outlives other changes, encryption and undo', async () => {
  const cwd = await makeStore(['alice', 'bob'])
  removeBob(cwd, true)
  const removedIn = (): unknown =>
    (JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as { removed?: unknown }).removed
  const before = removedIn()
  const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery staple' }
  for (const args of [
    ['add-peer', 'carol'],
    ['rename', 'carol', 'caroline'],
    ['rotate', 'alice', '--now', '--yes'],
    ['undo', '--yes'],
    ['set', '--window', '2', '--yes'],
    ['encrypt', '--passphrase'],
    ['decrypt', '--yes'],
  ]) {
    const run = await runCli(args, { cwd, env, now })
    expect(run.exitCode, `${args.join(' ')}: ${run.stderr}`).toBe(0)
  }
  expect(before).toMatchObject([{ name: 'bob' }])
  expect(removedIn()).toEqual(before)
  expect(Object.keys(parseJson(await runCli(['list', '--json'], { cwd, now })))).not.toContain('removed')
})
