import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stampVendored } from '../../src/fragments/vendored.js'
import { binary, makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { cli, key, recipient } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly subject: string
  readonly message: string
  readonly fix: string
}

interface Case {
  /** Returns the folder in which doctor is run. */
  readonly make: () => Promise<string>
  readonly git?: true
  /** Ends in a note of the same kind, which no command ends. */
  readonly leaves?: string
}

const store = (cwd: string): string => join(cwd, 'a2a-totp.json')
const day = 86_400_000

async function inGit(peers: readonly string[], init: readonly string[] = []): Promise<string> {
  const cwd = makeFolder()
  git(cwd, 'init', '-q')
  await runCli(['init', ...init], { cwd })
  if (peers.length > 0) await runCli(['add-peer', ...peers], { cwd })
  return cwd
}

/** A store whose text is changed. */
async function changed(change: (text: string) => string, peers = ['alice', 'bob']): Promise<string> {
  const cwd = await makeStore(peers)
  writeFileSync(store(cwd), change(readFileSync(store(cwd), 'utf8')))
  return cwd
}

/** A store with a peer that got this seed and token. */
async function given(what: 'seed' | 'token', ...values: string[]): Promise<string> {
  const cwd = await makeStore()
  for (const [index, value] of values.entries()) {
    const file = join(cwd, 'given')
    writeFileSync(file, value)
    const weak = [`--${what}-file`, file, `--allow-weak-${what}`]
    const added = await runCli(['add-peer', `peer${index}`, ...weak], { cwd })
    // Versions without that option take any token.
    if (added.exitCode === 2) await runCli(['add-peer', `peer${index}`, ...weak.slice(0, 2)], { cwd })
  }
  return cwd
}

/** How each finding comes about whose fix is a command. `NAME` and `age1…` are for the reader to fill in. */
const cases: Readonly<Record<string, Case>> = {
  'store-mode': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      chmodSync(store(cwd), 0o644)
      return cwd
    },
  },
  // Version 0.1 took it.
  'header-refused': { make: () => changed((text) => text.replace('"X-TOTP"', '"Totp-Code"')) },
  'folder-open': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      chmodSync(cwd, 0o777)
      return cwd
    },
  },
  leftovers: {
    make: async () => {
      const cwd = await makeStore(['alice'])
      for (const name of ['.a2a-totp.json.tmp-0123456789abcdef', '.alice.env.tmp-0123456789abcdef'])
        writeFileSync(join(cwd, name), 'half')
      return cwd
    },
  },
  'backup-plaintext': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      await runCli(['init', '--force', '--yes'], { cwd })
      return cwd
    },
  },
  'copy-plaintext': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      for (const name of ['a2a-totp.json~', "Bob's copy of a2a-totp.json"])
        copyFileSync(store(cwd), join(cwd, name))
      return cwd
    },
  },
  'previous-plaintext': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      const plain = readFileSync(store(cwd))
      await cli(`encrypt --encrypt-to ${recipient}`, cwd)
      writeFileSync(`${store(cwd)}.bak-prev`, plain, { mode: 0o600 })
      return cwd
    },
  },
  'previous-stale': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      copyFileSync(store(cwd), `${store(cwd)}.bak-prev`)
      const before = new Date(Date.now() - 9 * day)
      utimesSync(`${store(cwd)}.bak-prev`, before, before)
      return cwd
    },
  },
  'git-tracked': {
    git: true,
    make: async () => {
      const cwd = await inGit(['alice'])
      git(cwd, 'add', '-f', 'a2a-totp.json')
      return cwd
    },
  },
  'git-not-ignored': { git: true, make: () => inGit(['alice'], ['--no-gitignore']) },
  'git-committed': {
    git: true,
    leaves: 'none of the seeds and tokens that are valid now',
    make: async () => {
      const cwd = await inGit(['alice'])
      git(cwd, 'add', '-f', 'a2a-totp.json')
      git(cwd, 'commit', '-q', '-m', 'oops')
      return cwd
    },
  },
  'secret-not-ignored': {
    git: true,
    make: async () => {
      const cwd = await inGit(['alice', 'bob'])
      await runCli(['config', 'server', '--out', 'server.json', '--no-gitignore'], { cwd })
      await runCli(['config', 'client', 'bob', '--out', "bob's.env", '--no-gitignore'], { cwd })
      return cwd
    },
  },
  'secret-tracked': {
    git: true,
    make: async () => {
      const cwd = await inGit(['alice', 'bob'])
      await runCli(['config', 'client', 'alice', '--out', 'a [x].env', '--no-gitignore'], { cwd })
      git(cwd, 'add', '-A')
      return cwd
    },
  },
  'secret-committed': {
    git: true,
    make: async () => {
      const cwd = await inGit(['alice', 'bob'])
      for (const name of ['alice', 'bob']) {
        await runCli(['config', 'client', name, '--out', `${name}.env`], { cwd })
        git(cwd, 'add', '-f', `${name}.env`)
        git(cwd, 'commit', '-q', '-m', 'oops')
        git(cwd, 'rm', '-q', '--cached', `${name}.env`)
      }
      return cwd
    },
  },
  'seed-weak': { make: () => given('seed', 'GEZDGNBVGY3TQOJR', 'GEZDGNBVGY3TQOJS') },
  'seed-published': { make: () => given('seed', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ') },
  'token-weak': { make: () => given('token', 'abc', 'abcd') },
  'token-published': { make: () => given('token', 'changeme') },
  'seed-repeated': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      const { seed } = parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }))
      for (const name of ['bob', 'carol'])
        await runCli(['add-peer', name, '--seed-file', '-'], { cwd, stdin: String(seed) })
      return cwd
    },
  },
  'seed-expiring': {
    make: () =>
      changed((text) =>
        text.replace(
          /("seed":"[^"]+","createdAt":"[^"]+")/g,
          `$1,"expiresAt":"${new Date(Date.now() + day).toISOString()}"`,
        ),
      ),
  },
  'seed-expired': {
    make: () =>
      changed((text) =>
        text.replace(/("seed":"[^"]+","createdAt":"[^"]+")/g, `$1,"expiresAt":"2026-01-02T00:00:00.000Z"`),
      ),
  },
  'token-old': {
    make: () => changed((text) => text.replace(/("token":"[^"]+","createdAt":")\d+/g, '$12020')),
  },
  'seed-old': {
    make: () => changed((text) => text.replace(/("seed":"[^"]+","createdAt":")\d+/g, '$12020')),
  },
  'token-overlap': {
    make: () =>
      changed((text) =>
        text.replace(
          /"tokens":\[(\{"id":"t-)([^"]+)","token":"a2at_([^"]+)"/g,
          (all, start: string, id: string, token: string) =>
            all.replace(
              start,
              `{"id":"t-x${id}","token":"a2at_X${token}","createdAt":"2026-01-01T00:00:00.000Z"},${start}`,
            ),
        ),
      ),
  },
  'token-hash-only': {
    make: () =>
      changed((text) => text.replace(/"token":"[^"]+"/g, `"hash":"sha256:${'a1'.repeat(32)}"`), ['alice']),
  },
  'replay-reuse': { make: () => makeStore(['alice', 'bob', 'carol']) },
  'signed-reuse': { make: () => makeStore(['alice', 'bob'], ['--signed', 'accept']) },
  unencrypted: { make: () => makeStore(['alice']) },
  'vendored-old': {
    make: async () => {
      const cwd = await makeStore(['alice'])
      const { stdout } = await runCli(['config', 'client', 'alice', '--format', 'python'], { cwd })
      writeFileSync(join(cwd, 'auth.py'), stampVendored(stdout.replace(/^# a2a-totp .*\n/m, ''), '0.0.1'))
      return cwd
    },
  },
}

/** Findings whose fix is the same as that of another kind, needs another user or machine, or is for a person to decide. */
const others = {
  alike: ['token-repeated', 'token-expired', 'token-expiring', 'seed-overlap'],
  elsewhere: ['store-owner', 'folder-unlisted', 'clock', 'modes-unknown', 'rotation-pending', 'signed-ready'],
  personal: [
    ...['guesses', 'shared-seed', 'shared-seed-once', 'shared-seed-profile'],
    ...['git-unknown', 'search-partial', 'recipients-unverified'],
    ...['signed-observe', 'signed-partly', 'signed-invalid', 'signed-refused'],
  ],
}

/** A shell in which `a2a-totp` is the built binary. */
function shell(cwd: string): (command: string) => { status: number | null; said: string } {
  const bin = makeFolder()
  symlinkSync(binary, join(bin, 'a2a-totp'))
  const node = join(bin, 'node')
  symlinkSync(process.execPath, node)
  mkdirSync(join(bin, 'home'))
  const env = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: join(bin, 'home'),
    XDG_CACHE_HOME: '/dev/null',
    ...key,
  }
  return (command) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' })
    return { status, said: stdout + stderr }
  }
}

async function find(cwd: string, id: string): Promise<Finding[]> {
  const { findings } = parseJson(await cli('doctor --json', cwd)) as { findings: Finding[] }
  return findings.filter((finding) => finding.id === id)
}

const unknownHere = /unknown (command|option)/

describe('the fixes that doctor prints', () => {
  it('are tested, or listed above', () => {
    const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
    const rows = Array.from(page.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) +\|/gm), ([, ids = '']) => ids)
    const ids = rows.flatMap((row) => row.replaceAll('`', '').split(', '))
    expect([...Object.keys(cases), ...Object.values(others).flat()].sort()).toEqual(ids.sort())
  })

  it.each(Object.entries(cases))(
    'of %s, for one and for all at once',
    async (id, { make, git: inRepository, leaves }) => {
      if (inRepository && !hasGit) return
      for (const together of [false, true]) {
        const cwd = await make()
        const run = shell(cwd)
        const findings = await find(cwd, id)
        expect(findings.length).toBeGreaterThan(0)
        const line = (await cli('doctor', cwd)).stdout.split('\n').find((one) => one.split('  ')[1] === id)
        const fixes = together ? [/; fix: (.*)$/.exec(line ?? '')?.[1] ?? ''] : findings.map(({ fix }) => fix)
        for (const fix of new Set(fixes)) {
          const command = fix.replace('age1…', recipient)
          expect(command).not.toMatch(/NAME|…/)
          let { status, said } = run(command)
          if (status === 2 && said.includes('--yes'))
            ({ status, said } = run(command.replace(/ --(all|now)\b/, ' --$1 --yes')))
          if (unknownHere.test(said)) {
            console.warn(`skipped: ${command}: ${said.trim()}`)
            return
          }
          // doctor --fix ends with 1 for other serious findings.
          if (!command.includes('doctor --fix'))
            expect({ command, status, said }).toMatchObject({ status: 0 })
        }
        const after = await find(cwd, id)
        expect(after.filter(({ message }) => leaves === undefined || !message.includes(leaves))).toEqual([])
      }
    },
  )
})
