import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { places } from '../support/delivery/places.js'
import { blockIn, recipes, rows } from '../support/delivery/recipes.js'

const programs = rows.filter(({ name }) => name !== 'External Secrets')

describe('docs/delivery.md', () => {
  it('has a row for each recipe, and a recipe for each row', () => {
    expect(programs.map(({ name }) => name)).toEqual([...new Set(programs.map(({ name }) => name))])
    expect(programs.map(({ name }) => name).sort()).toEqual([...recipes.keys()].sort())
    expect(rows).toHaveLength(programs.length + 1)
  })

  it('says of each recipe whether a test runs it, with the program or a stand-in', () => {
    const said = Object.fromEntries(programs.map(({ name, run }) => [name, run]))
    const held = Object.entries(places).map(([name, { standIn }]) => [
      name,
      standIn === undefined
        ? /^yes(, against a mock of the service)? \([\w., -]+\)$/
        : /^not run \(.+\); its lines with a stand-in$/,
    ])
    expect(Object.keys(said).sort()).toEqual(Object.keys(places).sort())
    expect(said).toEqual(
      Object.fromEntries(
        held.map(([name, pattern]) => [name, expect.stringMatching(pattern as RegExp) as unknown]),
      ),
    )
  })

  it('says "yes" to "read back" where a test shows that the recipe fails if nothing was written', () => {
    const said = rows.filter(({ readBack }) => readBack === 'yes').map(({ name }) => name)
    const shown = Object.entries(places).flatMap(([name, { writes }]) => (writes ? [name] : []))
    expect(said.sort()).toEqual(shown.sort())
    expect(said.length).toBeGreaterThan(5)
  })

  it.each([...recipes])('%s is plain sh that stops at a failure and reads everything first', (_, code) => {
    execFileSync('sh', ['-n'], { input: code })
    const [, start] = code.split('\n')
    expect(start).toBe('set -eu; fragment=$(cat); : "${fragment:?nothing on standard input}"')
    expect(code).not.toMatch(/\|\| *(true|:)|set \+e|set -x|\bpipefail\b|\becho "?\$/)
  })

  it('has a manifest for External Secrets that reads what vault.sh stores', () => {
    const { spec } = parse(blockIn('yaml')) as {
      spec: { data: { remoteRef: { key: string; property: string } }[] }
    }
    const [{ key, property } = { key: '', property: '' }] = spec.data.map(({ remoteRef }) => remoteRef)
    const code = recipes.get('vault') ?? ''
    expect(code).toContain(`${property}=-`)
    expect(code).toContain(
      `path=${key.replace('billing', '$A2A_TOTP_AGENT').replace('alice', '$A2A_TOTP_PEER')}\n`,
    )
  })
})
