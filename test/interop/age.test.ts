import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder, makeStore, runCli } from '../support/cli.js'

/** Debian's `age` and `age-keygen`. */
function makeIdentity(cwd: string): { file: string; recipient: string } {
  const file = join(cwd, 'key.txt')
  execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' })
  return { file, recipient: execFileSync('age-keygen', ['-y', file]).toString().trim() }
}

it('the age program opens what we encrypted', async () => {
  const cwd = await makeStore(['alice'])
  const { file, recipient } = makeIdentity(cwd)
  const text = JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as unknown
  expect((await runCli(['encrypt', '--encrypt-to', recipient], { cwd })).exitCode).toBe(0)
  const opened = execFileSync('age', ['-d', '-i', file, 'a2a-totp.json'], { cwd }).toString()
  expect(JSON.parse(opened)).toEqual({ ...(text as object), recipients: [recipient] })
})

it.each([[[]], [['--armor']]])(
  'we open what the age program encrypted (%j), and it opens our change',
  async (flags) => {
    const cwd = await makeStore(['alice'])
    const { file, recipient } = makeIdentity(cwd)
    const sealed = execFileSync('age', ['-r', recipient, ...flags, 'a2a-totp.json'], { cwd })
    writeFileSync(join(cwd, 'a2a-totp.json'), sealed)
    const env = { A2A_TOTP_IDENTITY: file }
    expect((await runCli(['show', 'alice'], { cwd, env })).exitCode).toBe(0)
    expect((await runCli(['add-peer', 'bob'], { cwd, env })).exitCode).toBe(0)
    const opened = execFileSync('age', ['-d', '-i', file, 'a2a-totp.json'], { cwd }).toString()
    expect(Object.keys((JSON.parse(opened) as { peers: object }).peers)).toEqual(['alice', 'bob'])
  },
)

it('neither opens what is for somebody else', async () => {
  const cwd = await makeStore(['alice'])
  const { recipient } = makeIdentity(cwd)
  await runCli(['encrypt', '--encrypt-to', recipient], { cwd })
  const { file } = makeIdentity(makeFolder())
  expect(() => execFileSync('age', ['-d', '-i', file, 'a2a-totp.json'], { cwd, stdio: 'pipe' })).toThrow()
  expect((await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: file } })).exitCode).toBe(3)
})

it('what the age program encrypted again for others is not rewritten for the old ones', async () => {
  const cwd = await makeStore(['alice'])
  const [old, added] = [makeIdentity(cwd), makeIdentity(makeFolder())]
  await runCli(['encrypt', '--encrypt-to', old.recipient], { cwd })
  const path = join(cwd, 'a2a-totp.json')
  const content = execFileSync('age', ['-d', '-i', old.file, path])
  writeFileSync(path, execFileSync('age', ['-r', added.recipient, '-a'], { input: content }))
  const before = readFileSync(path)
  const env = { A2A_TOTP_IDENTITY: added.file }
  expect(await runCli(['add-peer', 'bob'], { cwd, env })).toMatchObject({ exitCode: 3, stdout: '' })
  expect(readFileSync(path)).toEqual(before)
  expect((await runCli(['recipients', 'add', added.recipient], { cwd, env })).exitCode).toBe(0)
  expect((await runCli(['add-peer', 'bob'], { cwd, env })).exitCode).toBe(0)
  const opened = execFileSync('age', ['-d', '-i', added.file, path]).toString()
  expect(JSON.parse(opened)).toMatchObject({ recipients: [added.recipient], peers: { alice: {}, bob: {} } })
  expect(() => execFileSync('age', ['-d', '-i', old.file, path], { stdio: 'pipe' })).toThrow()
})

it('the age program opens what we encrypted for several recipients, with each of their identities', async () => {
  const cwd = await makeStore(['alice'])
  const all = [makeIdentity(cwd), makeIdentity(makeFolder()), makeIdentity(makeFolder())]
  await runCli(['encrypt', '--encrypt-to', ...all.map(({ recipient }) => recipient)], { cwd })
  for (const { file } of all) {
    const opened = execFileSync('age', ['-d', '-i', file, 'a2a-totp.json'], { cwd }).toString()
    expect(JSON.parse(opened)).toMatchObject({ recipients: all.map(({ recipient }) => recipient) })
  }
})

it('a store that the age program encrypted for an SSH key alone is refused by its kind', async () => {
  const cwd = await makeStore(['alice'])
  for (const type of ['ed25519', 'rsa']) {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(cwd, type)])
    const path = join(cwd, `${type}.json`)
    const store = readFileSync(join(cwd, 'a2a-totp.json'))
    writeFileSync(path, execFileSync('age', ['-R', join(cwd, `${type}.pub`)], { input: store }))
    const run = await runCli(['list', '--store', path], { cwd, env: { A2A_TOTP_IDENTITY: join(cwd, type) } })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain(`encrypted only for ssh-${type} keys, which cannot be used here`)
    // The age program can, and what it encrypts again as the error says opens.
    const { file, recipient } = makeIdentity(makeFolder())
    const opened = execFileSync('age', ['-d', '-i', join(cwd, type), path])
    writeFileSync(path, execFileSync('age', ['-r', recipient], { input: opened }))
    expect(
      (await runCli(['list', '--store', path], { cwd, env: { A2A_TOTP_IDENTITY: file } })).exitCode,
    ).toBe(0)
  }
})

it('an SSH key as identity, beside a recipient of ours, is refused by its kind', async () => {
  const cwd = await makeStore(['alice'])
  await runCli(['encrypt', '--encrypt-to', makeIdentity(cwd).recipient], { cwd })
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(cwd, 'ssh')])
  const run = await runCli(['list'], { cwd, env: { A2A_TOTP_IDENTITY: 'ssh' } })
  expect(run.exitCode).toBe(3)
  expect(run.stderr).toContain('the file in $A2A_TOTP_IDENTITY is an SSH private key')
})
