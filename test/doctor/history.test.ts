import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { auditHistory, historyBounds } from '../../src/doctor/history-audit.js'
import { needlesOf } from '../../src/doctor/needles.js'
import { askGit } from '../../src/programs/git-view.js'
import { readStore } from '../../src/store/store.js'
import { makeFolder, parseJson } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { cli, recipient } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly subject: string
  readonly message: string
  readonly fix: string
}

/** A store with the peers alice and bob, ignored, in a work tree. */
async function storeInTree(place = ''): Promise<string> {
  const root = makeFolder()
  git(root, 'init', '-q')
  mkdirSync(join(root, place), { recursive: true, mode: 0o700 })
  await cli('init', join(root, place))
  await cli('add-peer alice bob', join(root, place))
  return root
}

function commit(root: string, ...files: string[]): void {
  for (const file of files) git(root, 'add', '-f', file)
  git(root, 'commit', '-q', '--allow-empty', '-m', 'a commit')
}

function untrack(root: string, file: string): void {
  git(root, 'rm', '-q', '--cached', file)
  commit(root)
}

async function serious(cwd: string): Promise<Finding[]> {
  const { findings } = parseJson(await cli('doctor --json', cwd)) as { findings: Finding[] }
  return findings.filter(({ severity }) => severity === 'serious')
}

const leak = (subject: string, fix: string) => ({ id: 'secret-committed', subject, fix })

describe.skipIf(!hasGit)('doctor on what was committed (skipped without git)', () => {
  it('reports a copy of the store that git no longer tracks, until what it holds is rotated', async () => {
    const root = await storeInTree()
    const copy = join(root, 'a2a-totp.json.bak-1')
    copyFileSync(join(root, 'a2a-totp.json'), copy)
    commit(root, 'a2a-totp.json.bak-1')
    const found = leak(copy, 'a2a-totp rotate alice bob --now')
    expect(await serious(root)).toMatchObject([{ id: 'git-tracked', subject: copy }, found])
    untrack(root, 'a2a-totp.json.bak-1')
    rmSync(copy)
    const findings = await serious(root)
    expect(findings).toMatchObject([found])
    expect(findings[0]?.message).toMatch(/the seed s-[0-9a-f]+ of alice, the token t-[0-9a-f]+ of alice/)
    await cli('rotate alice bob --now', root)
    expect(await serious(root)).toEqual([])
  })

  it('reports a fragment that git no longer tracks, beside an encrypted store and on another branch too', async () => {
    const root = await storeInTree()
    git(root, 'checkout', '-q', '-b', 'side')
    await cli('config client alice --out alice.env', root)
    commit(root, 'alice.env')
    git(root, 'checkout', '-q', '--orphan', 'other')
    untrack(root, 'alice.env')
    rmSync(join(root, 'alice.env'))
    const found = leak(join(root, 'alice.env'), 'a2a-totp rotate alice --now')
    expect(await serious(root)).toMatchObject([found])
    await cli(`encrypt --encrypt-to ${recipient}`, root)
    expect(await serious(root)).toMatchObject([found])
  })

  it('reports a store that was somewhere else before', async () => {
    const root = await storeInTree('old')
    commit(root, 'old/a2a-totp.json')
    untrack(root, 'old/a2a-totp.json')
    renameSync(join(root, 'old', 'a2a-totp.json'), join(root, 'a2a-totp.json'))
    writeFileSync(join(root, '.gitignore'), '/a2a-totp.json*\n')
    const fix = 'a2a-totp rotate alice bob --now'
    expect(await serious(root)).toMatchObject([leak(join(root, 'old', 'a2a-totp.json'), fix)])
  })

  it('reports a QR code, and rotates the peers of several files together', async () => {
    const root = await storeInTree()
    await cli('show bob --qr-file bob.png', root)
    await cli('config client alice --out alice.env', root)
    commit(root, 'bob.png', 'alice.env')
    for (const file of ['bob.png', 'alice.env']) untrack(root, file)
    const { stdout } = await cli('doctor', root)
    expect(stdout).toMatch(
      /secret-committed {2}2 files: .* fix: a2a-totp rotate (alice bob|bob alice) --now\n/,
    )
  })

  it('reports of a tracked file only what earlier versions held beside the last', async () => {
    const root = await storeInTree()
    await cli('config client alice --out client.env', root)
    commit(root, 'client.env')
    expect((await serious(root)).map(({ id }) => id)).toEqual(['secret-tracked'])
    await cli('config client bob --out client.env --force', root)
    commit(root, 'client.env')
    expect(await serious(root)).toMatchObject([
      { id: 'secret-tracked', fix: 'git rm --cached client.env && a2a-totp rotate bob --now' },
      leak(join(root, 'client.env'), 'a2a-totp rotate alice --now'),
    ])
  })

  it('leaves other files to the finding that says to rotate everything', async () => {
    const root = await storeInTree()
    await cli('config client alice --out alice.env', root)
    commit(root, 'a2a-totp.json', 'alice.env')
    for (const file of ['a2a-totp.json', 'alice.env']) untrack(root, file)
    expect((await serious(root)).map(({ id }) => id)).toEqual(['git-committed'])
  })

  it('says what it did not read, the smallest versions first', async () => {
    const root = await storeInTree()
    await cli('config client alice --out alice.env', root)
    writeFileSync(join(root, 'large'), 'x'.repeat(5000))
    commit(root, 'alice.env', 'large', '.gitignore')
    for (const file of ['alice.env', 'large']) untrack(root, file)
    const path = join(root, 'a2a-totp.json')
    const asker = { cwd: root, env: process.env, signal: new AbortController().signal }
    const view = await askGit(path, asker)
    if (view.kind !== 'known') throw new Error('git does not know the store')
    const needles = needlesOf(await readStore(path), new Date())
    const ids = async (bounds: Partial<typeof historyBounds>, git = view.git) => {
      const search = { needles, reported: [], tool: 'a2a-totp', peers: 2, asker }
      const all = { ...historyBounds, ...bounds }
      return (await auditHistory({ ...search, view: { ...view, git }, bounds: all })).map(({ id }) => id)
    }
    expect(await ids({})).toEqual(['secret-committed'])
    expect(await ids({ bytes: 4000 })).toEqual(['secret-committed', 'search-partial'])
    expect(await ids({ versionBytes: 4000 })).toEqual(['secret-committed'])
    for (const few of [{ bytes: 0 }, { ms: 1 }]) expect(await ids(few)).toEqual(['search-partial'])
    const failing: typeof view.git = () => Promise.resolve({ ended: false, reason: 'git is not installed' })
    expect(await ids({}, failing)).toEqual(['search-partial'])
  })

  it('says that a clone lacks versions', async () => {
    const root = await storeInTree()
    await cli('config client alice --out alice.env', root)
    commit(root, 'alice.env')
    untrack(root, 'alice.env')
    git(root, 'config', 'uploadpack.allowFilter', 'true')
    const clone = join(makeFolder(), 'clone')
    git(dirname(clone), 'clone', '-q', '--filter=blob:none', `file://${root}`, clone)
    copyFileSync(join(root, 'a2a-totp.json'), join(clone, 'a2a-totp.json'))
    const { findings } = parseJson(await cli('doctor --json', clone)) as { findings: Finding[] }
    expect(findings.find(({ id }) => id === 'search-partial')?.message).toMatch(
      /ended early: 1 version of files not read/,
    )
  })
})
