import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { blocksOf, linksOf, readPages, type Page } from './support/pages.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What `npm pack` would put in the tarball. */
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString(),
) as [{ size: number; unpackedSize: number; files: { path: string }[] }]
const paths = packed.files.map(({ path }) => path)
const textOf = (path: string): string => readFileSync(join(root, path), 'latin1')

describe('the package', () => {
  it('holds what a user needs and nothing else', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'CHANGELOG.md',
        'SECURITY.md',
        'bin/a2a-totp.cjs',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/sbom.cdx.json',
        'dist/THIRD-PARTY-NOTICES.txt',
        'man/a2a-totp.1',
        'docs/wire.md',
        'test/vectors/rfc.json',
        'test/vectors/wire.json',
        'test/vectors/proof.json',
        'test/vectors/rfc9421.json',
      ]),
    )
    const expected = [
      /^(LICENSE|package\.json|[A-Z]+\.md)$/,
      /^bin\/a2a-totp\.cjs$/,
      /^dist\//,
      /^man\/a2a-totp[a-z-]*\.[17]$/,
      /^(docs|bench)\/.+\.(md|svg)$/,
      /^docs\/deploy\/[\w.-]+$/,
      /^examples\/mesh\/[\w.-]+$/,
      /^test\/vectors\/\w+\.json$/,
    ]
    expect(paths.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([])
  })

  it('is small', () => {
    expect(packed.size).toBeLessThan(2.9e6)
    // A third of it is the store, which the bundle of each command has a copy of: see scripts/build.mjs.
    expect(packed.unpackedSize).toBeLessThan(9.2e6)
  })

  it('holds no source map and no path of the machine that built it', () => {
    expect(paths.filter((path) => path.endsWith('.map'))).toEqual([])
    const told = paths.filter(
      (path) => textOf(path).includes('sourceMappingURL=') || textOf(path).includes(root),
    )
    expect(told).toEqual([])
  })

  it('runs nothing when it is installed, and is built before it is packed', () => {
    const { scripts, ...manifest } = packageJson
    const atInstall = Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name))
    expect(atInstall).toEqual([])
    expect(scripts.prepack).toBe('npm run build')
    // npm runs it in a checkout alone, after `npm ci`, and never for a package that is installed.
    expect(scripts.dependencies).toBe('npm run build')
    expect(manifest).not.toHaveProperty('private')
  })

  it('imports, in code and in declarations, only packages that it depends on', () => {
    const known = new Set(Object.keys({ ...packageJson.dependencies, ...packageJson.peerDependencies }))
    const library = paths.filter((path) => /^dist\/(?!cli\/).+\.(js|d\.ts)$/.test(path))
    expect(library.length).toBeGreaterThan(50)
    const strange = library.flatMap((path) =>
      importsOf(textOf(path))
        .filter((name) => !/^(\.|node:)/.test(name) && !known.has(packageOf(name)))
        .map((name) => `${path} imports ${name}`),
    )
    expect(strange).toEqual([])
  })

  it('has no module that is imported for its side effects alone, as sideEffects: false promises', () => {
    expect(packageJson.sideEffects).toBe(false)
    const library = paths.filter((path) => /^dist\/(?!cli\/).+\.js$/.test(path))
    expect(library.filter((path) => /^\s*import\s*['"]/m.test(textOf(path)))).toEqual([])
  })
})

describe('the pages', () => {
  const pages = readPages().filter(({ path }) => paths.includes(path))

  it('link to nothing outside the package', () => {
    expect(pages.flatMap((page) => deadLinksOf(page))).toEqual([])
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(50)
  })

  it('would be reported where a link is dead', () => {
    const text = '[a](b.md) [c](#d) [e](../README.md#f) `[g](h)` [i](https://j) [k](server) [l](../src)\n'
    expect(deadLinksOf({ path: 'docs/core.md', text })).toEqual([
      'docs/core.md: b.md',
      'docs/core.md: ../src',
    ])
  })

  it('name the ways to install this package that interop/tarball.test.ts tries', () => {
    const commands = readPages()
      .flatMap(blocksOf)
      .flatMap(({ code }) => code.match(/\bnpm (i|install|add|link|exec)\b.*|\bnpx .*/g) ?? [])
    expect(commands.length).toBeGreaterThan(0)
    const others = commands.filter(
      (command) => !/^npm install (--global|@a2a-js\/sdk express) (\S+\/)?a2a-totp\S*\.tgz$/.test(command),
    )
    expect(others).toEqual([])
  })
})

/** What a module or a declaration imports or exports from elsewhere. */
function importsOf(text: string): string[] {
  const quoted = /\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g
  return Array.from(text.replace(/^\s*(\*|\/\/|\/\*).*$/gm, '').matchAll(quoted), ([, , name = '']) => name)
}

/** `@scope/name` of `@scope/name/deep/path`. */
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

function deadLinksOf(page: Page): string[] {
  return linksOf(page)
    .filter((link) => {
      const [path = ''] = link.split('#')
      const target = path === '' ? page.path : normalize(join(dirname(page.path), path))
      return !paths.some((packed) => packed === target || packed.startsWith(`${target}/`))
    })
    .map((link) => `${page.path}: ${link}`)
}
