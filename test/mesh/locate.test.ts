import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { locateMesh } from '../../src/mesh/file/locate.js'
import { readMeshFile } from '../../src/mesh/file/read-file.js'
import { makeFolderIn } from '../../src/cli/commands/mesh/mesh-delivery.js'
import { fileOption, openMesh } from '../../src/cli/commands/mesh/open-mesh.js'
import { inContext } from '../../src/cli/context.js'
import type { main } from '../../src/cli/main.js'
import { runCommandLine } from '../../src/cli/program.js'
import { makeFolder, parseJson, runCli } from '../support/cli.js'
import { scalarText } from '../../src/mesh/file/yaml-text.js'
import { failureOf } from '../support/failure.js'
import { expectHarmlessText, hostile, hostileName } from '../support/hostile-text.js'
import { peerOf, rosterOf } from '../support/roster.js'

const root = process.getuid?.() === 0
const nobody = 65_534
const strict = { allowInsecurePermissions: false }
const text = 'version: 1\nagents: {}\npeers: {}\n'

/** `TEMPORARY/outer/inner`, each with a mesh file. */
function makeTree(): { outer: string; inner: string; outerFile: string; innerFile: string } {
  const outer = join(makeFolder(), 'outer')
  const inner = join(outer, 'inner')
  mkdirSync(inner, { recursive: true, mode: 0o755 })
  const [outerFile, innerFile] = [join(outer, 'mesh.json'), join(inner, 'mesh.yaml')]
  for (const path of [outerFile, innerFile]) writeFileSync(path, text, { mode: 0o644 })
  return { outer, inner, outerFile, innerFile }
}

describe('the mesh file that is meant', () => {
  it('is the one that is named, before that of the environment, before any that is found', () => {
    const { inner, innerFile } = makeTree()
    const env = { A2A_TOTP_MESH: '/elsewhere/mesh.yaml' }
    expect(locateMesh({ file: '../named.yaml', env, cwd: inner }).path).toBe(join(inner, '../named.yaml'))
    expect(locateMesh({ env, cwd: inner }).path).toBe('/elsewhere/mesh.yaml')
    expect(locateMesh({ env: { A2A_TOTP_MESH: 'mesh.yml' }, cwd: inner }).path).toBe(join(inner, 'mesh.yml'))
    expect(locateMesh({ env: { A2A_TOTP_MESH: '' }, cwd: inner })).toEqual({
      path: innerFile,
      passedOver: [],
    })
  })

  it('is the nearest one upward, in a folder mesh.yaml before mesh.yml before mesh.json', () => {
    const { outer, inner, innerFile, outerFile } = makeTree()
    const deep = join(inner, 'a', 'b')
    mkdirSync(deep, { recursive: true })
    expect(locateMesh({ env: {}, cwd: deep }).path).toBe(innerFile)
    unlinkSync(innerFile)
    expect(locateMesh({ env: {}, cwd: deep }).path).toBe(outerFile)
    writeFileSync(join(outer, 'mesh.yml'), text)
    expect(locateMesh({ env: {}, cwd: deep }).path).toBe(join(outer, 'mesh.yml'))
  })

  it('is a failure that names `mesh init` where there is none, and the one that was passed over', () => {
    const nothing = failureOf(() => locateMesh({ env: {}, cwd: '/' }))
    expect(nothing.code).toBe('ERR_FILE_UNREADABLE')
    expect(nothing.message).toContain('a2a-totp mesh init')
    const { outer } = makeTree()
    chmodSync(outer, 0o777)
    const { code, message } = failureOf(() => locateMesh({ env: {}, cwd: outer }))
    expect(code).toBe('ERR_FILE_UNREADABLE')
    expect(message).toContain(
      `the only mesh file found is ${outer}/mesh.json, and others can write to the folder`,
    )
  })
})

describe('a mesh file that is passed over', () => {
  it.each<[string, (tree: ReturnType<typeof makeTree>) => void, string]>([
    [
      'is a link',
      ({ innerFile, outerFile }) => {
        unlinkSync(innerFile)
        symlinkSync(outerFile, innerFile)
      },
      'it is a symbolic link',
    ],
    [
      'is a folder',
      ({ innerFile }) => {
        unlinkSync(innerFile)
        mkdirSync(innerFile)
      },
      'it is not a regular file',
    ],
    [
      'lies where others can write',
      ({ inner }) => {
        chmodSync(inner, 0o775)
      },
      'others can write to the folder',
    ],
  ])('%s', (_, spoil, reason) => {
    const tree = makeTree()
    spoil(tree)
    const passedOver = [{ path: tree.innerFile, reason: expect.stringContaining(reason) as string }]
    expect(locateMesh({ env: {}, cwd: tree.inner })).toEqual({ path: tree.outerFile, passedOver })
  })

  it.skipIf(!root)('belongs to another user (skipped unless run by root)', () => {
    const tree = makeTree()
    chownSync(tree.innerFile, nobody, nobody)
    expect(locateMesh({ env: {}, cwd: tree.inner }).passedOver).toEqual([
      { path: tree.innerFile, reason: `it belongs to another user (uid ${nobody})` },
    ])
  })
})

describe('a mesh file that is read', () => {
  it('may be readable by all, since it holds no secret', () => {
    const { innerFile } = makeTree()
    for (const mode of [0o600, 0o644, 0o444]) {
      chmodSync(innerFile, mode)
      expect(readMeshFile(innerFile, strict)).toBe(text)
    }
  })

  it.each([0o664, 0o646, 0o666])('is refused where others can write to it (mode %o)', (mode) => {
    const { innerFile } = makeTree()
    chmodSync(innerFile, mode)
    const { code, message } = failureOf(() => readMeshFile(innerFile, strict))
    expect(code).toBe('ERR_FILE_UNREADABLE')
    expect(message).toContain(`others can write to the mesh file ${innerFile}`)
    expect(message).toContain(`chmod go-w ${innerFile}`)
    expect(readMeshFile(innerFile, { allowInsecurePermissions: true })).toBe(text)
  })

  it('is refused where it is a link or a folder, whatever is allowed', () => {
    const { inner, innerFile } = makeTree()
    const link = join(inner, 'link.yaml')
    symlinkSync(innerFile, link)
    for (const options of [strict, { allowInsecurePermissions: true }]) {
      expect(failureOf(() => readMeshFile(link, options)).message).toContain('is a symbolic link')
      expect(failureOf(() => readMeshFile(inner, options)).message).toContain('is not a regular file')
    }
  })

  it.skipIf(!root)('is refused where it belongs to another user (skipped unless run by root)', () => {
    const { innerFile } = makeTree()
    chownSync(innerFile, nobody, nobody)
    expect(failureOf(() => readMeshFile(innerFile, strict)).message).toContain(
      `belongs to another user (uid ${nobody})`,
    )
    expect(readMeshFile(innerFile, { allowInsecurePermissions: true })).toBe(text)
  })

  it('is refused where it is too long, is not UTF-8, or is not there', () => {
    const { innerFile } = makeTree()
    writeFileSync(innerFile, Buffer.alloc(1024 * 1024 + 1, '#'))
    expect(failureOf(() => readMeshFile(innerFile, strict)).message).toContain('longer than 1 MiB')
    writeFileSync(innerFile, Buffer.from(`\uFEFF${text}`, 'utf16le'))
    expect(failureOf(() => readMeshFile(innerFile, strict)).message).toContain('is UTF-16; save it as UTF-8')
    const { code, message } = failureOf(() => readMeshFile(`${innerFile}.not`, strict))
    expect([code, message]).toEqual([
      'ERR_FILE_UNREADABLE',
      expect.stringContaining('no mesh file at') as string,
    ])
  })
})

/** A program with one command, which opens a mesh and its stores as every mesh command does. */
const opening: typeof main = (args, system) =>
  runCommandLine(
    { open: { description: 'open a mesh', load: () => Promise.resolve({ define }) } },
    args,
    system,
  )

const define = inContext((command, context) =>
  fileOption(command)
    .option('--create', 'create the stores')
    .option('--edit', 'change the file meanwhile')
    .action(async ({ create, edit, ...options }: { create?: true; edit?: true; file?: string }) => {
      const { mesh, stores, requireCurrent } = await openMesh(context, options)
      requireCurrent()
      if (edit) writeFileSync(mesh.path, `# ${text}`)
      requireCurrent()
      const seen: unknown[] = []
      for (const agent of mesh.agents.values()) {
        const store = stores(agent)
        makeFolderIn(mesh, store.path)
        if (create) await store.create(rosterOf([peerOf('alice')], { agent: agent.name }))
        const { serial } = await store.update((roster) => ({ ...roster, replay: 'once' }))
        await stores(agent).update((roster) => ({ ...roster, replay: 'reuse' }))
        seen.push([store.exists(), (await store.read()).agent, serial])
      }
      context.output.result('', { path: mesh.path, seen })
    }),
)

describe('a command that opens a mesh', () => {
  const open = (cwd: string, args: readonly string[] = [], env = {}) =>
    runCli(['open', '--json', ...args], { cwd, env, program: opening })
  const two = `version: 1
agents: {a: {url: https://a.example}, b: {url: https://b.example, store: deep/down/b.json}}
peers: {}
`

  it('sees that the file has changed since it was read', async () => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'mesh.yaml'), text)
    expect(await open(cwd)).toMatchObject({ exitCode: 0 })
    const changed = await open(cwd, ['--edit'])
    expect(changed).toMatchObject({ exitCode: 3, stdout: '' })
    expect(changed.stderr).toContain('was changed while this command waited')
  })

  it('ends with 3 and says why where there is no mesh file, or it is not valid or not trusted', async () => {
    const cwd = makeFolder()
    const none = await open(cwd, ['--file', 'mesh.yaml'])
    expect(none).toMatchObject({ exitCode: 3, stdout: '' })
    expect(none.stderr).toContain('ERR_FILE_UNREADABLE')
    writeFileSync(join(cwd, 'mesh.yaml'), 'version: 1\nagents: {a: {}}\npeers: []\n')
    const bad = await open(cwd)
    expect(bad).toMatchObject({ exitCode: 3, stdout: '' })
    expect(bad.stderr).toContain('line 2: agents.a.url is missing; line 3: peers must be a map from names')
    writeFileSync(join(cwd, 'mesh.yaml'), text)
    chmodSync(join(cwd, 'mesh.yaml'), 0o666)
    expect((await open(cwd)).stderr).toContain('others can write to the mesh file')
    expect((await open(cwd, ['--allow-insecure-permissions'])).exitCode).toBe(0)
    expect((await open(cwd, [], { A2A_TOTP_MESH: '/nowhere/mesh.yaml' })).stderr).toContain(
      '/nowhere/mesh.yaml',
    )
    expect((await open(cwd, ['--file', ''])).exitCode).toBe(2)
  })

  it('says what it passed over', async () => {
    const { inner, innerFile, outerFile } = makeTree()
    unlinkSync(innerFile)
    symlinkSync(outerFile, innerFile)
    const run = await runCli(['open'], { cwd: inner, program: opening })
    expect(run).toMatchObject({ exitCode: 0, stderr: `passed over ${innerFile}: it is a symbolic link\n` })
    expect(parseJson(await open(inner))).toEqual({ path: outerFile, seen: [] })
  })

  it('creates the folders of stores that are readable by nobody else, and undoes what it changed as one step', async () => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'mesh.yaml'), two)
    const env = { A2A_TOTP_STORE: '/nowhere/a2a-totp.json' }
    expect((await open(cwd, [], env)).stderr).toContain('ERR_STORE_MISSING')
    const run = await open(cwd, ['--create'], env)
    expect(parseJson(run)).toMatchObject({
      seen: [
        [true, 'a', 1],
        [true, 'b', 1],
      ],
    })
    for (const folder of ['stores', 'deep', 'deep/down'])
      expect(statSync(join(cwd, folder)).mode & 0o777, folder).toBe(0o700)
    expect(statSync(join(cwd, 'deep/down/b.json')).mode & 0o777).toBe(0o600)
    const previous = readFileSync(join(cwd, 'stores/a.json.bak-prev'), 'utf8')
    expect(previous).not.toContain('"serial"')
    expect((await open(cwd, ['--create'], env)).stderr).toContain('ERR_STORE_EXISTS')
  })

  it('asks for the key of encrypted stores once', async () => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'mesh.yaml'), two)
    expect((await open(cwd, ['--create'])).exitCode).toBe(0)
    const identity = await generateIdentity()
    const recipient = await identityToRecipient(identity)
    const env = { A2A_TOTP_IDENTITY: identity }
    for (const store of ['stores/a.json', 'deep/down/b.json'])
      await runCli(['--store', store, 'encrypt', '--encrypt-to', recipient], { cwd })
    expect((await open(cwd)).stderr).toContain('ERR_STORE_KEY_MISSING')
    expect(parseJson(await open(cwd, [], env))).toMatchObject({
      seen: [
        [true, 'a', 3],
        [true, 'b', 3],
      ],
    })
  })
})

describe('text from outside in a mesh file', () => {
  it('is raw in no error', async () => {
    const agent = 'a: {url: https://a.example}'
    const text = scalarText(hostile)
    for (const file of [
      hostile,
      `${text}: 1`,
      `version: ${text}\nagents: {${text}: {}}\npeers: ${text}`,
      `version: 1\nagents: {${agent}}\npeers: {p: {calls: [${text}], ${text}: 1}}`,
      `version: 1\nagents: {a: {url: ${text}, store: ${text}, deliver: ${text}}}\npeers: {}`,
    ]) {
      const cwd = join(makeFolder(), hostileName)
      mkdirSync(cwd)
      writeFileSync(join(cwd, 'mesh.yaml'), file)
      for (const args of [['open'], ['open', '--json'], ['open', '--file', hostileName]]) {
        const run = await runCli(args, { cwd, program: opening })
        expect(run.exitCode).toBe(3)
        expectHarmlessText(run.stderr)
      }
    }
  })
})
