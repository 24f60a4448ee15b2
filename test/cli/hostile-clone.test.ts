import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runBinary, runCli, type CliRun } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { hasGit, tryGit } from '../support/git.js'
import { hostileClone, layouts, settings, type HostileClone } from '../support/hostile-clone.js'

const folder = temporaryFolder()
let [identity, store] = ['', Buffer.alloc(0)]

beforeAll(async () => {
  identity = await generateIdentity()
  await runCli(['init', '--encrypt-to', await identityToRecipient(identity)], { cwd: folder })
  store = readFileSync(join(folder, 'a2a-totp.json'))
})

/** What no other program may see. */
const secrets = (): Record<string, string> => ({
  A2A_TOTP_IDENTITY: identity,
  A2A_TOTP_PASSPHRASE: 'correct horse',
  A2A_TOTP_SEED: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  A2A_TOTP_TOKEN: 'a2at_example',
})

const run = (command: string, { cwd }: Pick<HostileClone, 'cwd'>, env = {}): Promise<CliRun> =>
  runBinary(command.split(' '), { cwd, env: { ...secrets(), ...env } })

const idsOf = (one: CliRun): unknown[] =>
  (parseJson(one)['findings'] as { id: unknown }[]).map(({ id }) => id)

describe.skipIf(!hasGit)('in a clone whose settings run commands (skipped without git)', () => {
  it('there are many settings', () => {
    expect(Object.keys(settings).length).toBeGreaterThanOrEqual(30)
  })

  it.each(layouts)('%s: git itself runs them', (layout) => {
    const { cwd, fired } = hostileClone(makeFolder(), layout, store)
    writeFileSync(join(cwd, 'a2a-totp.json'), 'changed')
    for (const command of ['status', 'log', 'add -u', 'diff --cached', 'cat-file --batch-check'])
      tryGit(cwd, ...command.split(' '))
    // Fetches what the clone lacks. With -p, rev-list would do so too, unless a filter that reads nothing ends it before.
    tryGit(cwd, 'cat-file', '-p', 'HEAD:lost')
    expect(Object.keys(fired())).toEqual(
      expect.arrayContaining([
        'core.fsmonitor',
        'diff.evil.command',
        'filter.evil.clean',
        'gpg.openpgp.program',
        'post-index-change',
        'remote.origin.url',
      ]),
    )
  })

  it.each(layouts)(
    '%s: no command of ours runs any of them, and git answers all the same',
    async (layout) => {
      const clone = hostileClone(makeFolder(), layout, store)
      const first = await run('doctor --json', clone)
      expect(Object.keys(clone.fired())).toEqual([])
      expect(first.stderr).toBe('')
      expect(await run('decrypt', clone)).toMatchObject({ exitCode: 2, stdout: '' })
      expect((await run('decrypt --yes', clone)).exitCode).toBe(0)
      const ids = idsOf(await run('doctor --json --fix', clone))
      expect(ids).toContain('git-tracked')
      for (const command of ['add-peer alice', 'code alice', 'init --force', 'init --force --yes', 'doctor'])
        await run(command, clone)
      expect(clone.fired()).toEqual({})
    },
  )
})

/** Written down by a git that stands in front of the real one. */
interface Witness {
  /** The folder of that git. */
  readonly bin: string
  readonly names: () => string[]
  readonly words: () => string[]
}

/** What a shell sets by itself. */
const ofTheShell = ['OLDPWD', 'PWD', 'SHLVL', '_']

/** Which variables a program may see: what it needs, and what is set for git. */
const allowed = [
  'GIT_ALLOW_PROTOCOL',
  'GIT_CEILING_DIRECTORIES',
  'GIT_GRAFT_FILE',
  'GIT_NO_LAZY_FETCH',
  'GIT_OPTIONAL_LOCKS',
  'GIT_PAGER',
  'GIT_TERMINAL_PROMPT',
  'HOME',
  'LC_ALL',
  'PATH',
]

function witness(bin: string): Witness {
  mkdirSync(bin, { recursive: true })
  const notes = join(bin, 'notes')
  writeFileSync(
    join(bin, 'git'),
    `#!/bin/sh
{ env | sed 's/^/env /'; for word; do printf 'word %s\\n' "$word"; done; } >> '${notes}'
PATH='${process.env['PATH'] ?? ''}'
exec git "$@"
`,
  )
  chmodSync(join(bin, 'git'), 0o755)
  const lines = (kind: string): string[] =>
    readFileSync(notes, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`${kind} `))
      .map((line) => line.slice(kind.length + 1))
  return {
    bin,
    names: () => [...new Set(lines('env').map((line) => line.replace(/=.*/, '')))].sort(),
    words: () => lines('word'),
  }
}

describe.skipIf(!hasGit)('the git that is started (skipped without git)', () => {
  /** What makes programs load or start others, or has git look elsewhere. */
  const meddling = {
    LD_LIBRARY_PATH: '/nowhere',
    NODE_EXTRA_CA_CERTS: '',
    BASH_ENV: '/nowhere',
    PAGER: 'false',
    EDITOR: 'false',
    SSH_ASKPASS: 'false',
    GIT_EXTERNAL_DIFF: 'false',
    GIT_SSH_COMMAND: 'false',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.fsmonitor',
    GIT_CONFIG_VALUE_0: 'false',
    GIT_EXEC_PATH: '/nowhere',
    XDG_CONFIG_HOME: 'relative',
  }

  it('sees no secret, nor any variable but a few, and is told to run nothing', async () => {
    const clone = hostileClone(makeFolder(), layouts[0], store)
    const { bin, names, words } = witness(join(makeFolder(), 'bin'))
    const env = { ...meddling, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
    await run('decrypt --yes', clone, env)
    expect(idsOf(await run('doctor --json', clone, env))).toContain('git-tracked')
    expect(names().filter((name) => !ofTheShell.includes(name))).toEqual(allowed)
    const said = words()
    expect(said).toEqual(
      expect.arrayContaining(['core.fsmonitor=', 'core.hooksPath=/dev/null', 'protocol.allow=never']),
    )
    for (const secret of Object.values(secrets())) expect(said.join('\n')).not.toContain(secret)
    // These look at attributes, signatures or the disk.
    for (const word of ['log', 'show', 'diff', 'status', '--textconv', '--filters'])
      expect(said).not.toContain(word)
    expect(said.filter((word) => /^[^-]*:a2a-totp/.test(word) && !word.startsWith(':('))).toEqual([])
    expect(clone.fired()).toEqual({})
  })

  it.each([
    ['.', ''],
    ['', ''],
    ['bin', 'bin'],
    ['./bin', 'bin'],
  ])('is not the one of the folder, though PATH begins with %j', async (entry, place) => {
    const clone = hostileClone(makeFolder(), layouts[0], store)
    const { bin } = witness(join(clone.cwd, place))
    const path = `${entry}:${process.env['PATH'] ?? ''}`
    expect(idsOf(await run('doctor --json', clone, { PATH: path }))).not.toContain('git-unknown')
    expect(existsSync(join(bin, 'notes'))).toBe(false)
  })
})
