import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../src', import.meta.url))

/**
 * What each folder of `src/` may import: other folders, and packages. `node:` stands for all of Node. The rows of
 * {@link planned} are rooms that are not built yet; their place in the order is settled.
 */
const layers: Readonly<Record<string, readonly string[]>> = {
  core: ['otpauth', 'node:crypto'],
  programs: ['core', 'node:'],
  files: ['core', 'node:'],
  state: ['core', 'node:'],
  store: ['programs', 'core', 'node:', 'valibot', 'age-encryption'],
  server: [
    'files',
    'state',
    'core',
    'node:',
    'valibot',
    '@a2a-js/sdk',
    '@grpc/grpc-js',
    'express',
    'fastify',
    'hono',
    'jose',
  ],
  client: ['files', 'core', 'node:', '@a2a-js/sdk', '@grpc/grpc-js'],
  // The version, which vendored files are marked with, and the modules of the Python package that they consist of.
  fragments: ['core', 'yaml', '../package.json', 'a2a-totp:python-package'],
  import: ['core', 'node:', '@bufbuild/protobuf', 'csv-parse', 'jsqr', 'yaml'],
  html: [],
  service: ['core', 'node:', '@grpc/grpc-js'],
  probe: ['client', 'service', 'core', 'html', 'node:', '@bufbuild/protobuf', 'chalk', '../package.json'],
  doctor: ['store', 'state', 'fragments', 'import', 'programs', 'core', 'node:', 'pngjs'],
  demo: ['service', 'server', 'state', 'core', 'node:', '@a2a-js/sdk', '@grpc/grpc-js', 'express'],
  sidecar: [
    'files',
    'service',
    'server',
    'client',
    'state',
    'core',
    'node:',
    '@bufbuild/protobuf',
    '@grpc/grpc-js',
    'jose',
  ],
  mesh: [
    'store',
    'fragments',
    'probe',
    'doctor',
    'html',
    'service',
    'programs',
    'core',
    'node:',
    'valibot',
    'yaml',
  ],
}

/**
 * What the rooms of the probe may import of each other. Judges see exchanges and cannot send; reports render what was
 * judged and import no judge.
 */
const probeRooms: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  target: ['wire', 'options'],
  bindings: ['target', 'wire'],
  run: ['bindings', 'target', 'wire', 'options', 'check-ids'],
  checks: ['run', 'target', 'wire', 'options', 'check-ids'],
  report: ['checks/verdict', 'target', 'check-ids'],
}

/** What a check may know of a run and its answers. Everything else there sends, or decides what is sent when. */
const known = {
  wire: ['answer', 'proxy', 'raw-answer', 'text', 'words'],
  run: [
    ...['evidence', 'exchange', 'reading', 'compared', 'malformed', 'door-evidence', 'used-code'],
    ...[
      'isolation-labels',
      'scan-labels',
      'success-labels',
      'codes',
      'material',
      'plan',
      'proof-knowledge',
      'throttle-wait',
    ],
  ],
  bindings: [],
} as const

/** What opens connections: nothing that a check loads may, by whatever way. */
const network = /^node:(net|tls|https?|http2|dgram|dns)\b/

/** Rooms that later work moves into. */
const planned: readonly string[] = []

/** What only entry points of their own may need: no user of the core has to install it. */
const optional = /^(@a2a-js\/sdk|express|@grpc\/|ioredis|redis|jose|fastify|hono)/

/** What core may take from node:crypto: functions of their arguments alone. */
const pureCrypto = ['createHash', 'createHmac', 'hash', 'hkdfSync', 'timingSafeEqual']

interface Import {
  readonly file: string
  readonly layer: string
  readonly from: string
  readonly typeOnly: boolean
  readonly names: string
}

function importsOf(path: string): Import[] {
  const file = relative(src, path).split(sep).join('/')
  const layer = file.includes('/') ? (file.split('/')[0] ?? '') : ''
  const statement =
    /(?:^|\n)\s*(import|export)(\s+type)?\s*([^'";]*?)\s*from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)/g
  return Array.from(readFileSync(path, 'utf8').matchAll(statement), ([, , type, names = '', from, lazy]) => {
    const target = from ?? lazy ?? ''
    const resolved = target.startsWith('.')
      ? relative(src, join(dirname(path), target))
          .split(sep)
          .join('/')
      : target
    return { file, layer, from: resolved, typeOnly: type !== undefined, names }
  })
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'),
)
const imports = files.flatMap((name) => importsOf(join(src, name)))

function allowed({ layer, from }: Import): boolean {
  const may = [layer, ...(layers[layer] ?? [])]
  return may.some(
    (one) => from === one || from.startsWith(`${one}/`) || (one === 'node:' && from.startsWith(one)),
  )
}

describe('the layers', () => {
  it('finds the imports it is about to judge', () => {
    expect(imports.length).toBeGreaterThan(50)
    expect(new Set(imports.map(({ layer }) => layer))).toEqual(
      new Set(['', 'cli', ...Object.keys(layers).filter((layer) => !planned.includes(layer))]),
    )
  })

  it.each(Object.keys(layers))('%s imports nothing that it may not', (layer) => {
    const wrong = imports.filter((one) => one.layer === layer && !allowed(one))
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
  })

  it('never run in a circle, not even for a type', () => {
    const targets = new Map<string, string[]>()
    for (const { file, from } of imports) {
      if (from.endsWith('.js'))
        targets.set(file, [...(targets.get(file) ?? []), from.replace(/\.js$/, '.ts')])
    }
    const circles: string[] = []
    const done = new Set<string>()
    const follow = (file: string, way: readonly string[]): void => {
      const start = way.indexOf(file)
      if (start >= 0) circles.push([...way.slice(start), file].join(' -> '))
      if (start >= 0 || done.has(file)) return
      for (const target of targets.get(file) ?? []) follow(target, [...way, file])
      done.add(file)
    }
    for (const file of files) follow(file, [])
    expect(circles).toEqual([])
  })

  it("keeps the server's rooms in order: doors, adapters, scheme, file", () => {
    const rooms = ['server/file/', 'server/scheme/', 'server/adapters/', 'server/']
    const roomOf = (file: string): number => rooms.findIndex((room) => file.startsWith(room))
    const wrong = imports.filter(
      ({ layer, file, from }) =>
        layer === 'server' && from.startsWith('server/') && roomOf(from) > roomOf(file),
    )
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
  })

  it.each(Object.keys(probeRooms))('lets probe/%s import only the rooms below it', (room) => {
    const own = imports.filter(({ file }) => file.startsWith(`probe/${room}/`))
    expect(own.length).toBeGreaterThan(0)
    const may = [room, ...(probeRooms[room] ?? [])].map((name) => `probe/${name}`)
    const wrong = own.filter(
      ({ from }) =>
        from.startsWith('probe/') &&
        !may.some((name) => from === `${name}.js` || from.startsWith(`${name}/`)),
    )
    expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
  })

  it.each(Object.entries(known))(
    'lets checks of the probe import of probe/%s only what sends nothing',
    (room, names) => {
      const own = imports.filter(
        ({ file, from }) => file.startsWith('probe/checks/') && from.startsWith(`probe/${room}/`),
      )
      const may = names.map((name) => `probe/${room}/${name}.js`)
      const wrong = own.filter(({ from }) => !may.includes(from))
      expect(wrong.map(({ file, from }) => `${file} imports ${from}`)).toEqual([])
    },
  )

  it('lets no check of the probe load what opens connections, not even by way of others', () => {
    const loaded = new Set(files.filter((name) => name.startsWith('probe/checks/')))
    for (const file of loaded) {
      const own = imports.filter((one) => one.file === file && !one.typeOnly)
      expect(
        own.filter(({ from }) => network.test(from)).map(({ from }) => `${file} imports ${from}`),
      ).toEqual([])
      for (const { from } of own) if (from.endsWith('.js')) loaded.add(from.replace(/\.js$/, '.ts'))
    }
    expect(loaded.size).toBeGreaterThan(50)
  })

  it('lets nothing import the CLI', () => {
    const wrong = imports.filter(({ layer, from }) => layer !== 'cli' && from.startsWith('cli/'))
    expect(wrong.map(({ file }) => file)).toEqual([])
  })

  it('keeps core free of clock, environment, disk and randomness', () => {
    const crypto = imports.filter(({ layer, from }) => layer === 'core' && from === 'node:crypto')
    for (const { names } of crypto) {
      const taken = names.replace(/[{}]/g, '').split(',')
      const called = taken.map((name) => name.trim()).filter((name) => !name.startsWith('type '))
      for (const name of called) expect(pureCrypto).toContain(name)
    }
    const impure = /\b(Date\.now|new Date\(\)|Math\.random|process\.|performance\.|globalThis\.crypto)/
    const wrong = files.filter(
      (name) => name.startsWith('core') && impure.test(readFileSync(join(src, name), 'utf8')),
    )
    expect(wrong).toEqual([])
  })

  it.each(['index.ts', 'server/index.ts', 'client/index.ts'])(
    'keeps all that %s loads free of optional packages',
    (entry) => {
      const loaded = new Set([entry])
      for (const file of loaded) {
        const own = imports.filter((one) => one.file === file && !one.typeOnly)
        expect(
          own.filter(({ from }) => optional.test(from)).map(({ from }) => `${file} imports ${from}`),
        ).toEqual([])
        for (const { from } of own) if (from.endsWith('.js')) loaded.add(from.replace(/\.js$/, '.ts'))
      }
      expect(loaded.size).toBeGreaterThan(3)
    },
  )
})
