import { readFileSync } from 'node:fs'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { describe, expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { readPages } from './support/pages.js'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const bill = read('dist/sbom.cdx.json')
const notices = read('dist/THIRD-PARTY-NOTICES.txt')

interface Component {
  readonly name: string
  readonly group?: string
  readonly version: string
  readonly purl: string
  readonly licenses: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[]
  readonly properties?: readonly { readonly name: string }[]
}
const { components, metadata } = JSON.parse(bill) as {
  readonly components: readonly Component[]
  readonly metadata: { readonly component: Component }
}

/** `name version`, and its licence, from the table at the head of the notices. */
const listed = Array.from(
  notices.split('====')[0]?.matchAll(/^(\S+ \d\S*) +(\S+(?: (?:AND|OR) \S+)*) {2,}(.+)$/gm) ?? [],
  ([, id = '', licence = '', size = '']) => ({ id, licence, size }),
)

describe('what the tarball holds of others', () => {
  it('is listed in a bill of materials that CycloneDX 1.6 allows', async () => {
    const problem: unknown = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(bill)
    expect(problem).toBeNull()
    expect(metadata.component).toMatchObject({ name: 'a2a-totp', version: packageJson.version })
  })

  it('is the same in the bill and in the notices, each with a licence that this one can contain', () => {
    const billed = components.map(({ group, name, version, licenses }) => ({
      id: `${group ? `${group}/` : ''}${name} ${version}`,
      licence: licenses
        .map(({ license, expression }) => license?.id ?? expression?.replace(/[()]/g, ''))
        .join(),
    }))
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
    expect(billed.sort(byId)).toEqual(listed.map(({ id, licence }) => ({ id, licence })).sort(byId))
    const permissive = /^(MIT|ISC|BSD-3-Clause|Apache-2\.0)( AND (MIT|BSD-3-Clause|Apache-2\.0))*$/
    expect(listed.filter(({ licence }) => !permissive.test(licence))).toEqual([])
  })

  it('has what is installed with the package, and what its commands cannot be without', () => {
    const names = components.map(({ group, name }) => (group ? `${group}/${name}` : name))
    expect(names).toEqual(expect.arrayContaining(Object.keys(packageJson.dependencies)))
    expect(names).toEqual(
      expect.arrayContaining(['commander', 'age-encryption', '@grpc/grpc-js', 'yaml', 'jsqr']),
    )
    for (const { purl, version } of components) expect(purl).toMatch(new RegExp(`^pkg:npm/.+@${version}$`))
  })

  it('comes with the text of each licence', () => {
    const [, ...texts] = notices.split(/^={100}$/m)
    const covered = texts.flatMap(
      (text) => /^\n((?:\S+ \d\S*\n)+)\n/.exec(text)?.[1]?.trim().split('\n') ?? [],
    )
    expect(covered.sort()).toEqual(listed.map(({ id }) => id).sort())
    const words =
      /permission to use, copy, modify|permission is hereby granted|redistribution and use|apache license/i
    expect(texts.filter((text) => !words.test(text))).toEqual([])
  })

  it('is what docs/supply-chain.md lists', () => {
    const page = readPages().find(({ path }) => path === 'docs/supply-chain.md')
    const row = /^\| `(\S+)` +\| (\S+) +\| (\S+(?: AND \S+)*) +\| (\d+|installed) +\|$/gm
    const rows = Array.from(
      page?.text.matchAll(row) ?? [],
      ([, name = '', version = '', licence = '', size = '']) => ({ id: `${name} ${version}`, licence, size }),
    )
    expect(rows.map(({ id, licence }) => ({ id, licence }))).toEqual(
      listed.map(({ id, licence }) => ({ id, licence })),
    )
    // A size varies with what a bundle uses of a package.
    const off = rows.filter(({ size }, row) => {
      const measured = listed[row]?.size ?? ''
      if (size === 'installed' || measured === 'installed beside') return !measured.startsWith(size)
      return Math.abs(Number(size) - parseFloat(measured)) > Math.max(1.5, parseFloat(measured) / 10)
    })
    expect(off).toEqual([])
  })
})
