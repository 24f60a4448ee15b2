import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { needlesOf } from '../../src/doctor/needles.js'
import { auditSecrets, searchBounds } from '../../src/doctor/secret-audit.js'
import { listFiles } from '../../src/programs/git-files.js'
import { askGit } from '../../src/programs/git-view.js'
import { parseStore } from '../../src/store/store-file.js'
import { makeFolder, parseJson, runCli } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { cli } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly subject: string
  readonly message: string
  readonly fix: string
  readonly fixed?: true
}

/** A store with the peers alice and bob, ignored, in a folder of a work tree. */
async function storeInTree(): Promise<{ root: string; cwd: string }> {
  const root = makeFolder()
  git(root, 'init', '-q')
  const cwd = join(root, 'deploy')
  mkdirSync(cwd)
  await cli('init', cwd)
  await cli('add-peer alice bob', cwd)
  return { root, cwd }
}

async function secretFindings(cwd: string, ...args: string[]): Promise<Finding[]> {
  const { findings } = parseJson(await runCli(['doctor', '--json', ...args], { cwd })) as {
    findings: Finding[]
  }
  return findings.filter(({ id }) => id.startsWith('secret-'))
}

const clientOf = async (cwd: string): Promise<{ token: string; seed: string }> =>
  parseJson(await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd })) as never

describe.skipIf(!hasGit)('doctor on files with secrets in a work tree (skipped without git)', () => {
  it.each([
    ...['env', 'json', 'yaml', 'kubernetes'].map((format) => ['client alice', format] as const),
    ...['json', 'maps', 'yaml', 'kubernetes'].map((format) => ['server', format] as const),
  ])('finds the result of config %s --format %s', async (what, format) => {
    const { root, cwd } = await storeInTree()
    const { seed, token } = await clientOf(cwd)
    await cli(`config ${what} --format ${format} --out ${join(root, 'result.txt')} --no-gitignore`, cwd)
    const findings = await secretFindings(cwd)
    expect(findings).toMatchObject([
      { id: 'secret-not-ignored', severity: 'warning', subject: join(root, 'result.txt') },
    ])
    expect(findings[0]?.message).toMatch(/the (seed|token) [st]-[0-9a-f]+ of alice/)
    for (const secret of [seed, token]) expect(JSON.stringify(findings)).not.toContain(secret)
  })

  it('has nothing against results without secrets', async () => {
    const { cwd } = await storeInTree()
    for (const what of ['client alice --format python', 'server --format env', 'server --format compose'])
      await cli(`config ${what} --out ${what.replaceAll(' ', '')} --no-gitignore`, cwd)
    expect(await secretFindings(cwd)).toEqual([])
  })

  it.each(['qr.png', 'qr.svg'])('finds the QR code in %s', async (name) => {
    const { cwd } = await storeInTree()
    await cli(`show bob --qr-file ${name} --no-gitignore`, cwd)
    writeFileSync(join(cwd, 'broken.png'), Buffer.from('\x89PNG\r\n\x1a\n nonsense', 'latin1'))
    expect(await secretFindings(cwd)).toMatchObject([
      { subject: join(cwd, name), message: expect.stringContaining(' of bob') as string },
    ])
  })

  it('finds other spellings of a seed and a token', async () => {
    const { root, cwd } = await storeInTree()
    const { seed, token } = await clientOf(cwd)
    const bytes = Buffer.from(execFileSync('base32', ['-d'], { input: seed }))
    const spellings = {
      lower: `secret: ${seed.toLowerCase()}`,
      groups: seed.replace(/(.{4})/g, '$1 '),
      dashes: seed.replace(/(.{4})(?=.)/g, '$1-'),
      hex: bytes.toString('hex'),
      base64: Buffer.from(`x: 1\nseed: ${seed}\n`)
        .toString('base64')
        .replace(/(.{20})/g, '$1\n'),
      tokenBase64: Buffer.from(`A2A_TOTP_TOKEN=${token}`).toString('base64'),
      utf16: Buffer.from(`TOKEN=${token}\r\n`, 'utf16le'),
    }
    for (const [name, text] of Object.entries(spellings)) writeFileSync(join(root, name), text)
    writeFileSync(join(root, 'digest'), execFileSync('sha256sum', { input: token }))
    const found = (await secretFindings(cwd)).map(({ subject }) => subject)
    expect(found.sort()).toEqual(
      Object.keys(spellings)
        .map((name) => join(root, name))
        .sort(),
    )
  })

  it('finds a token of which the store has the hash alone', async () => {
    const { root, cwd } = await storeInTree()
    const { token } = await clientOf(cwd)
    await cli('config server --out server.json', cwd)
    rmSync(join(cwd, 'a2a-totp.json'))
    await cli('init', cwd)
    await cli('import server.json', cwd)
    await cli('rotate alice --seed --now', cwd)
    const spellings = {
      variable: `export A2A_TOTP_TOKEN='${token}'`,
      json: JSON.stringify({ token }),
      sentence: `The token is ${token}.`,
      address: `https://billing.example/%20${token}`,
      base64: `data: ${Buffer.from(`A2A_TOTP_TOKEN=${token}\n`).toString('base64')}`,
      utf16: Buffer.from(`TOKEN=${token}\r\n`, 'utf16le'),
    }
    for (const [name, text] of Object.entries(spellings)) writeFileSync(join(root, name), text)
    writeFileSync(join(root, 'digest'), execFileSync('sha256sum', { input: token }))
    const found = await secretFindings(cwd)
    expect(found.map(({ subject }) => subject).sort()).toEqual(
      Object.keys(spellings)
        .map((name) => join(root, name))
        .sort(),
    )
    for (const { message } of found) expect(message).toMatch(/holds the token t-[0-9a-f]+ of alice,/)
    await cli('rotate alice --token --now', cwd)
    expect(await secretFindings(cwd)).toEqual([])
  })

  it('has nothing against what is ignored, or no longer valid', async () => {
    const { root, cwd } = await storeInTree()
    await cli('config client alice --out alice.env --no-gitignore', cwd)
    expect(await secretFindings(cwd)).toHaveLength(1)
    writeFileSync(join(root, '.gitignore'), '*.env\n')
    expect(await secretFindings(cwd)).toEqual([])
    writeFileSync(join(root, '.gitignore'), '')
    await cli('rotate alice --now', cwd)
    expect(await secretFindings(cwd)).toEqual([])
  })

  it('adds them to .gitignore with --fix, and looks', async () => {
    const { cwd } = await storeInTree()
    for (const name of ['alice.env', '[x] \\y*.env'])
      await runCli(['config', 'client', 'alice', '--out', name, '--no-gitignore'], { cwd })
    const findings = await secretFindings(cwd, '--fix')
    expect(findings).toHaveLength(2)
    expect(findings.every(({ fixed }) => fixed === true)).toBe(true)
    expect(await secretFindings(cwd)).toEqual([])
  })

  it('is serious about one that git tracks, and its fix ends that', async () => {
    const { root, cwd } = await storeInTree()
    await cli('config client alice --out alice.env --no-gitignore', cwd)
    git(cwd, 'add', '-f', 'alice.env')
    git(cwd, 'commit', '-q', '-m', 'oops')
    const run = await cli('doctor', cwd)
    expect(run.exitCode).toBe(1)
    const [finding] = await secretFindings(cwd)
    expect(finding).toMatchObject({
      id: 'secret-tracked',
      severity: 'serious',
      subject: join(root, 'deploy', 'alice.env'),
      fix: 'git rm --cached alice.env && a2a-totp rotate alice --now',
    })
    git(cwd, 'rm', '-q', '--cached', 'alice.env')
    await cli('rotate alice --now', cwd)
    expect(await secretFindings(cwd)).toEqual([])
  })

  it('reads large files too, after the small ones', async () => {
    const { root, cwd } = await storeInTree()
    await cli('config client alice --out alice.env --no-gitignore', cwd)
    const env = readFileSync(join(cwd, 'alice.env'), 'utf8')
    writeFileSync(join(root, 'a-large-file'), env + '#'.repeat(1 << 20))
    writeFileSync(join(root, 'small-file'), env)
    expect((await secretFindings(cwd)).map(({ subject }) => subject)).toEqual([
      join(cwd, 'alice.env'),
      join(root, 'small-file'),
      join(root, 'a-large-file'),
    ])
  })

  it('does not take a published seed for the store’s', async () => {
    const { root, cwd } = await storeInTree()
    writeFileSync(join(cwd, 'seed'), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
    await cli('add-peer carol --seed-file seed', cwd)
    writeFileSync(join(root, 'README'), 'For example GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ.')
    expect(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')).toContain('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
    expect(await secretFindings(cwd)).toEqual([])
  })

  it('says how much of a large work tree it did not read, the folder of the store first', async () => {
    const { root, cwd } = await storeInTree()
    for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), 'nothing')
    await cli('config client alice --out alice.env --no-gitignore', cwd)
    const path = join(cwd, 'a2a-totp.json')
    const asker = { cwd, env: process.env, signal: new AbortController().signal }
    const view = await askGit(path, asker)
    if (view.kind !== 'known') throw new Error('git does not know the store')
    const files = await listFiles(view)
    if (!('tracked' in files)) throw new Error('git lists nothing')
    const search = (bounds: Partial<typeof searchBounds>) =>
      auditSecrets({
        ...{ view, files, known: [path], tool: 'a2a-totp', peers: 2, asker },
        needles: needlesOf(parseStore(readFileSync(path, 'utf8')).roster, new Date()),
        bounds: { ...searchBounds, ...bounds },
      })
    const ids = async (bounds: Partial<typeof searchBounds>) => (await search(bounds)).map(({ id }) => id)
    expect(await ids({})).toEqual(['secret-not-ignored'])
    // alice.env and .gitignore are in the folder of the store.
    expect(await ids({ files: 2 })).toEqual(['secret-not-ignored', 'search-partial'])
    expect((await search({ files: 2 }))[1]?.message).toContain('3 files not read')
    for (const none of [{ files: 0 }, { bytes: 0 }, { ms: -1 }])
      expect(await ids(none)).toEqual(['search-partial'])
    expect(await ids({ fileBytes: 10 })).toEqual([])
  })
})
