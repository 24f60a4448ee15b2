import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runCli } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { gitFindings, idsOf, nextCommit } from '../support/git-store.js'

/** Rules that include a store again which others ignore, by the place in which they stand. */
const overruling: Readonly<Record<string, (root: string) => string>> = {
  'the .gitignore beside the store': (root) => {
    writeFileSync(join(root, 'deploy', '.gitignore'), 'dist/\n/a2a-totp.json\n!*.json\n')
    return 'line 3 of deploy/.gitignore includes it again (!*.json)'
  },
  'a .gitignore above it': (root) => {
    writeFileSync(join(root, '.gitignore'), '*.json\n!/deploy/*.json\n')
    return 'line 2 of .gitignore includes it again (!/deploy/*.json)'
  },
  '.git/info/exclude': (root) => {
    appendFileSync(join(root, '.git', 'info', 'exclude'), '*.json\n!a2a-totp.json\n')
    return '.git/info/exclude includes it again (!a2a-totp.json)'
  },
}

async function treeWithStore(): Promise<{ root: string; cwd: string }> {
  const root = makeFolder()
  git(root, 'init', '-q')
  const cwd = join(root, 'deploy')
  mkdirSync(cwd)
  await runCli(['init', '--no-gitignore'], { cwd })
  return { root, cwd }
}

describe.skipIf(!hasGit)('doctor on ignore rules (skipped without git)', () => {
  it.each(Object.entries(overruling))('names the rule that overrules others in %s', async (_, write) => {
    const { root, cwd } = await treeWithStore()
    const rule = write(root)
    const [finding] = await gitFindings(cwd)
    expect(finding).toMatchObject({ id: 'git-not-ignored', severity: 'serious' })
    expect(finding?.message).toContain(rule)
    const fixed = await gitFindings(cwd, 'doctor --fix')
    expect(fixed[0]).toMatchObject({ id: 'git-not-ignored', fixed: true })
    expect(nextCommit(cwd)).toBe('')
    expect(await gitFindings(cwd)).toEqual([])
  })

  it('finds files beside the store that rules of an older version do not cover, and adds the rules', async () => {
    const { cwd } = await treeWithStore()
    writeFileSync(join(cwd, '.gitignore'), '/a2a-totp.json\n')
    await runCli(['init', '--force', '--yes', '--no-gitignore'], { cwd })
    writeFileSync(join(cwd, 'a2a-totp.json.bak-prev'), '{"plain":true}')
    const findings = await gitFindings(cwd)
    expect(findings.map(({ id, severity }) => `${severity} ${id}`)).toEqual([
      'serious git-not-ignored',
      'serious git-not-ignored',
      'note git-not-ignored',
    ])
    const fixed = await gitFindings(cwd, 'doctor --fix')
    expect(fixed.every((finding) => finding.fixed)).toBe(true)
    expect(await gitFindings(cwd)).toEqual([])
  })

  it('finds backups in plain text that git tracks', async () => {
    const { cwd } = await treeWithStore()
    await runCli(['init', '--force', '--yes'], { cwd })
    git(cwd, 'add', '-f', '.')
    git(cwd, 'rm', '-q', '--cached', 'a2a-totp.json')
    const tracked = (await gitFindings(cwd)).filter(({ id }) => id === 'git-tracked')
    expect(tracked.length).toBeGreaterThan(0)
    for (const { fix } of tracked) expect(fix).toMatch(/^git rm --cached a2a-totp\.json\.bak-\w+$/)
  })

  it('works in a linked work tree, and in a submodule', async () => {
    const { root, cwd } = await treeWithStore()
    git(root, 'commit', '-q', '--allow-empty', '-m', 'one')
    const linked = join(makeFolder(), 'linked')
    git(root, 'worktree', 'add', '-q', linked)
    await runCli(['init', '--no-gitignore'], { cwd: linked })
    expect(idsOf(await gitFindings(linked))).toContain('git-not-ignored')
    const top = makeFolder()
    git(top, 'init', '-q')
    git(top, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', root, 'sub')
    const inside = join(top, 'sub')
    await runCli(['init', '--no-gitignore'], { cwd: inside })
    expect((await gitFindings(inside, 'doctor --fix')).every(({ fixed }) => fixed)).toBe(true)
    expect(nextCommit(inside)).toBe('')
    expect(idsOf(await gitFindings(cwd))).toContain('git-not-ignored')
  })

  it('finds a store that a sparse checkout leaves out of view, as git tracks it', async () => {
    const { root, cwd } = await treeWithStore()
    git(root, 'add', '-f', 'deploy/a2a-totp.json')
    git(root, 'update-index', '--skip-worktree', 'deploy/a2a-totp.json')
    expect(idsOf(await gitFindings(cwd))).toContain('git-tracked')
  })

  it.each([
    ['a symbolic link', (file: string) => symlinkSync('rules', file)],
    ['a folder', (file: string) => mkdirSync(file)],
  ])('advises something else than --fix where .gitignore is %s', async (what, make) => {
    const { cwd } = await treeWithStore()
    make(join(cwd, '.gitignore'))
    const { exitCode, stdout, stderr } = await runCli(['doctor', '--fix'], { cwd })
    expect(exitCode).toBe(1)
    expect(stderr.match(/^warning: .*$/gm)).toEqual([
      `warning: cannot add the store to ${join(cwd, '.gitignore')}: it is ${what}; replace it by a file`,
    ])
    expect(stdout).not.toContain('doctor --fix')
    expect(stdout).toContain('fix: move the store out of the work tree, or run a2a-totp encrypt')
  })

  it('exits with 1 while a serious finding is open after --fix', async () => {
    const { cwd } = await treeWithStore()
    git(cwd, 'add', '-f', 'a2a-totp.json')
    const run = await runCli(['doctor', '--fix', '--json'], { cwd })
    expect(run.exitCode).toBe(1)
    expect(parseJson(run)['ok']).toBe(false)
  })
})
