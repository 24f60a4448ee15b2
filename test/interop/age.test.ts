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
