import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Decrypter, Encrypter, generateHybridIdentity } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { confirmationOf, makeAgeKey, type AgeKey } from '../support/age-files.js'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')

const keys: Record<'ann' | 'ben' | 'cleo' | 'quinn', AgeKey> = {} as never
beforeAll(async () => {
  for (const name of ['ann', 'ben', 'cleo', 'quinn'] as const) {
    // One is post-quantum: its stanza is of another type.
    keys[name] = await makeAgeKey(name === 'quinn' ? generateHybridIdentity : undefined)
  }
})
type Name = keyof typeof keys

const recipientsOf = (names: readonly Name[]): string[] => names.map((name) => keys[name].recipient)
const as = (name: Name): { A2A_TOTP_IDENTITY: string } => ({ A2A_TOTP_IDENTITY: keys[name].identity })

/** What the age program does with a file: opens it, and encrypts what was inside again. */
async function encryptAgain(cwd: string, opener: Name, ...names: Name[]): Promise<void> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(keys[opener].identity)
  const content = await decrypter.decrypt(readFileSync(storeIn(cwd)))
  const encrypter = new Encrypter()
  for (const recipient of recipientsOf(names)) encrypter.addRecipient(recipient)
  writeFileSync(storeIn(cwd), await encrypter.encrypt(content))
}

/** Who can open the store, of everybody here. */
async function openers(cwd: string): Promise<Name[]> {
  const names = Object.keys(keys) as Name[]
  const runs = await Promise.all(names.map((name) => runCli(['list'], { cwd, env: as(name) })))
  return names.filter((_, index) => runs[index]?.exitCode === 0)
}

async function storeFor(...names: Name[]): Promise<string> {
  const cwd = makeFolder()
  await runCli(['init', '--encrypt-to', ...recipientsOf(names)], { cwd })
  await runCli(['add-peer', 'alice'], { cwd, env: as(names[0] ?? 'ann') })
  return cwd
}

/** Every command that writes the store. */
const changes = [
  ['add-peer', 'bob'],
  ['rotate', 'alice'],
  ['rotate', '--all', '--now', '--yes'],
  ['remove-peer', 'alice', '--yes'],
  ['import', '-'],
]

const listed = async (cwd: string, name: Name): Promise<Record<string, unknown>> =>
  parseJson(await runCli(['recipients', 'list', '--json'], { cwd, env: as(name) }))

describe('a store that was encrypted again elsewhere', () => {
  it.each<[listed: Name[], header: Name[], opener: Name]>([
    [['ann'], ['ben'], 'ben'],
    [['ann'], ['ann', 'ben'], 'ann'],
    [['ann'], ['ann', 'ben'], 'ben'],
    [['ann', 'ben'], ['ann'], 'ann'],
    [['ann', 'ben'], ['cleo'], 'cleo'],
    [['ann', 'ben'], ['ann', 'cleo'], 'ann'],
    [['ann', 'ben'], ['ann', 'cleo'], 'cleo'],
    [['ann', 'ben'], ['cleo', 'quinn'], 'quinn'],
    // For the same ones, which the file does not show.
    [['ann', 'ben'], ['ann', 'ben'], 'ann'],
  ])('listing %j, and being for %j, is read but not rewritten by %s', async (names, header, opener) => {
    const cwd = await storeFor(...names)
    await encryptAgain(cwd, names[0] ?? 'ann', ...header)
    const before = readFileSync(storeIn(cwd))
    for (const args of changes) {
      const run = await runCli(args, { cwd, env: as(opener), stdin: 'name\nbob\n' })
      expect(run, args.join(' ')).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toMatch(/encrypted elsewhere.*a2a-totp recipients add.*\(ERR_STORE_UNWRITABLE\)\n$/)
      expect(readFileSync(storeIn(cwd))).toEqual(before)
    }
    expect((await runCli(['show', 'alice'], { cwd, env: as(opener) })).exitCode).toBe(0)
    expect((await runCli(['config', 'server'], { cwd, env: as(opener) })).exitCode).toBe(0)
    expect(await listed(cwd, opener)).toEqual({ recipients: recipientsOf(names), agrees: false })
    const doctor = await runCli(['doctor', '--json'], { cwd, env: as(opener) })
    expect(doctor.exitCode).toBe(1)
    expect(doctor.stdout).toContain('"recipients-unverified"')
    const list = await runCli(['recipients', 'list'], { cwd, env: as(opener) })
    expect(list.stderr).toContain(`this list may be wrong; ${keys[opener].recipient} can open it`)
  })

  it('is not rewritten where its mark was kept and its recipients were not', async () => {
    const cwd = await storeFor('ann')
    const decrypter = new Decrypter()
    decrypter.addIdentity(keys.ann.identity)
    const content = await decrypter.decrypt(readFileSync(storeIn(cwd)))
    const encrypter = new Encrypter()
    for (const recipient of recipientsOf(['ann', 'ben'])) encrypter.addRecipient(recipient)
    encrypter.addRecipient(confirmationOf(recipientsOf(['ann'])))
    writeFileSync(storeIn(cwd), await encrypter.encrypt(content))
    expect((await runCli(['add-peer', 'bob'], { cwd, env: as('ann') })).exitCode).toBe(3)
    expect(await openers(cwd)).toEqual(['ann', 'ben'])
  })

  it('is put right by saying who may open it, which drops the old list', async () => {
    const cwd = await storeFor('ann', 'ben')
    await encryptAgain(cwd, 'ann', 'ann', 'cleo')
    const add = await runCli(['recipients', 'add', ...recipientsOf(['cleo'])], { cwd, env: as('ann') })
    expect(add).toMatchObject({ exitCode: 0, stdout: '' })
    expect(await openers(cwd)).toEqual(['ann', 'cleo'])
    expect(await listed(cwd, 'cleo')).toEqual({ recipients: recipientsOf(['ann', 'cleo']), agrees: true })
    expect((await runCli(['add-peer', 'bob'], { cwd, env: as('cleo') })).exitCode).toBe(0)
    expect(await openers(cwd)).toEqual(['ann', 'cleo'])
  })

  it.each<[string, string[] | Name[], Name[]]>([
    ['naming the one who opened it', ['recipients', 'add', 'ben'], ['ben']],
    ['taking off the one who is listed', ['recipients', 'remove', 'ann'], ['ben']],
    ['encrypting it anew', ['encrypt', '--encrypt-to', 'ben', 'cleo'], ['ben', 'cleo']],
  ])('is put right by %s', async (_, words, after) => {
    const cwd = await storeFor('ann')
    await encryptAgain(cwd, 'ann', 'ben')
    const args = words.map((word) => (word in keys ? keys[word as Name].recipient : word))
    expect((await runCli(args, { cwd, env: as('ben') })).exitCode).toBe(0)
    expect(await openers(cwd)).toEqual(after)
    expect((await runCli(['add-peer', 'bob'], { cwd, env: as('ben') })).exitCode).toBe(0)
    expect(await openers(cwd)).toEqual(after)
  })

  it('keeps nobody on its list who was only taken off somebody else', async () => {
    const cwd = await storeFor('ann', 'ben', 'cleo')
    await encryptAgain(cwd, 'ann', 'ann', 'quinn')
    const before = readFileSync(storeIn(cwd))
    const run = await runCli(['recipients', 'remove', ...recipientsOf(['cleo'])], { cwd, env: as('ann') })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(readFileSync(storeIn(cwd))).toEqual(before)
  })

  it('can be taken out of its encryption, and encrypted again', async () => {
    const cwd = await storeFor('ann')
    await encryptAgain(cwd, 'ann', 'ben')
    expect((await runCli(['decrypt'], { cwd, env: as('ben') })).exitCode).toBe(0)
    expect(readFileSync(storeIn(cwd), 'utf8')).not.toContain('recipients')
    expect((await runCli(['add-peer', 'bob'], { cwd })).exitCode).toBe(0)
  })

  it('with a passphrase instead is not rewritten either', async () => {
    const cwd = await storeFor('ann')
    const decrypter = new Decrypter()
    decrypter.addIdentity(keys.ann.identity)
    const encrypter = new Encrypter()
    encrypter.setPassphrase('correct horse')
    encrypter.setScryptWorkFactor(10)
    writeFileSync(storeIn(cwd), await encrypter.encrypt(await decrypter.decrypt(readFileSync(storeIn(cwd)))))
    const before = readFileSync(storeIn(cwd))
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse' }
    expect((await runCli(['list'], { cwd, env })).exitCode).toBe(0)
    const run = await runCli(['add-peer', 'bob'], { cwd, env })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('a2a-totp encrypt --passphrase')
    expect(readFileSync(storeIn(cwd))).toEqual(before)
    const again = await runCli(['encrypt', '--encrypt-to', ...recipientsOf(['ann'])], { cwd, env })
    expect(again.exitCode).toBe(0)
    expect((await runCli(['add-peer', 'bob'], { cwd, env: as('ann') })).exitCode).toBe(0)
  }, 60_000)
})

describe('a store whose header and list agree', () => {
  const unchanged = async (cwd: string, opener: Name, names: Name[]): Promise<CliRun> => {
    const run = await runCli(['add-peer', 'bob'], { cwd, env: as(opener) })
    expect(await openers(cwd)).toEqual(names)
    return run
  }

  it.each<Name[][]>([
    [['ann'], ['ann']],
    [['ann', 'ben'], ['ben']],
    [['ben', 'ann', 'cleo'], ['cleo']],
    [['quinn'], ['quinn']],
    [['cleo', 'quinn'], ['quinn']],
  ])('for %j is changed by %j', async (names, [opener = 'ann']) => {
    const cwd = await storeFor(...names)
    expect((await unchanged(cwd, opener, [...names].sort())).exitCode).toBe(0)
    expect(await listed(cwd, opener)).toEqual({ recipients: recipientsOf(names), agrees: true })
    const doctor = await runCli(['doctor', '--json'], { cwd, env: as(opener) })
    expect(doctor.stdout).not.toContain('recipients-unverified')
  })

  it('is changed where it was encrypted elsewhere for the one who is listed', async () => {
    const cwd = await storeFor('ann')
    await encryptAgain(cwd, 'ann', 'ann')
    expect((await unchanged(cwd, 'ann', ['ann'])).exitCode).toBe(0)
  })

  it('stays so through recipients that are added and taken off', async () => {
    const cwd = await storeFor('ann')
    const run = async (...args: string[]): Promise<number> =>
      (await runCli(args, { cwd, env: as('ann') })).exitCode
    expect(await run('recipients', 'add', ...recipientsOf(['ben', 'cleo']))).toBe(0)
    expect(await run('recipients', 'remove', ...recipientsOf(['ben']))).toBe(0)
    expect(await run('add-peer', 'bob')).toBe(0)
    expect(await openers(cwd)).toEqual(['ann', 'cleo'])
  })
})
