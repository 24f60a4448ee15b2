import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { binary, makeFolder } from '../support/cli.js'
import { scan, type Scan } from './scan.js'

const recorder = fileURLToPath(new URL('recorder.cjs', import.meta.url))

/** Records what a script does, in a folder with a store that has a peer, and scans the notes. */
async function scanOf(script: string): Promise<Scan> {
  const cwd = makeFolder()
  const folder = join(cwd, 'notes')
  mkdirSync(folder)
  const preamble = `
    const { spawn, spawnSync, execFileSync } = require('node:child_process')
    const { createHmac, randomBytes } = require('node:crypto')
    const { readFileSync } = require('node:fs')
    const cli = (...args) => spawnSync(process.execPath, [${JSON.stringify(binary)}, ...args], { env: { PATH: process.env.PATH } })
    cli('init'); cli('add-peer', 'alice')
    const [alice] = Object.values(JSON.parse(readFileSync('a2a-totp.json', 'utf8')).peers)
    const seed = alice.seeds[0].seed, token = alice.tokens[0].token
  `
  writeFileSync(join(cwd, 'script.cjs'), preamble + script)
  const run = spawnSync(process.execPath, ['--require', recorder, 'script.cjs'], {
    cwd,
    env: { PATH: process.env['PATH'], SECRECY_NOTES: folder },
    encoding: 'utf8',
  })
  expect(run.status, run.stderr).toBe(0)
  return scan(folder, run.stdout + run.stderr)
}

it('knows what a process of the built CLI makes, and finds nothing where nothing is shown', async () => {
  const found = await scanOf('cli("list"); cli("code", "alice"); cli("show", "nobody")')
  expect(found.hits).toEqual([])
  expect(found.secrets).toBeGreaterThanOrEqual(2)
  expect(found.bytes).toBeGreaterThan(200)
})

it.each([
  ['printed', 'console.log("a token: " + token)'],
  ['printed by a process of a process', 'spawn("sh", ["-c", `echo ${seed} >&2`])'],
  ['printed in two halves', 'process.stderr.write(seed.slice(0, 9)); process.stderr.write(seed.slice(9))'],
  ['printed in lines', 'console.log(seed.replace(/.{8}/g, "$&\\n"))'],
  ['printed in lower case', 'console.log(seed.toLowerCase())'],
  ['printed byte by byte', 'const key = randomBytes(20); console.log(new Uint8Array(key))'],
  ['printed as a buffer', 'const key = randomBytes(20); console.log({ key })'],
  ['printed in base64', 'console.log(randomBytes(32).toString("base64"))'],
  [
    'only used for a code',
    'const key = Buffer.from("a key that is not made here"); createHmac("sha1", key); console.log(`${key}`)',
  ],
  ['raised and caught', 'try { throw new TypeError(`no peer has ${token}`) } catch {}'],
  ['the cause of an error', 'new Error("wrong", { cause: { token } })'],
  [
    'in the error of a child',
    'try { execFileSync("sh", ["-c", `echo ${token}; exit 1`], { stdio: "pipe" }) } catch {}',
  ],
])('finds a secret that is %s', async (_how, script) => {
  const { hits } = await scanOf(script)
  expect(hits.length).toBeGreaterThan(0)
})

it('lets commands show what they exist to show, on stdout', async () => {
  const shown = await scanOf(`
    for (const args of [['config', 'client', 'alice'], ['show', 'alice', '--uri'], ['export', '--reveal'], ['code', 'alice', '--headers'], ['rotate', 'alice', '--reveal']])
      if (cli(...args).status !== 0) throw new Error(args.join(' '))`)
  expect(shown.hits).toEqual([])
  const repeated = await scanOf('spawnSync("sh", ["-c", `echo ${token} >&2`, "a2a-totp", "export"])')
  expect(repeated.hits).not.toEqual([])
})

it('does not show the secret that it found', async () => {
  const { hits } = await scanOf('console.log(`<${token}>`); console.log(JSON.stringify({ token }))')
  expect(hits.length).toBeGreaterThan(0)
  expect(JSON.stringify(hits)).not.toMatch(/a2at_[\w-]{43}/)
  expect(hits[0]?.around).toMatch(/^<\*{48}>/)
})
