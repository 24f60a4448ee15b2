import packageSources from 'a2a-totp:python-package'
import { describe, expect, it } from 'vitest'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { parseModule } from '../../src/fragments/python-file/module.js'
import { vendoredVersion } from '../../src/fragments/vendored.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const alice = peerOf('alice')
const roster = rosterOf([alice])

type Side = 'server' | 'client'

async function print(side: Side, format: 'python' | 'crewai', vendored: boolean): Promise<string> {
  const input = { roster, at: lookAt, vendored }
  const render = side === 'server' ? renderServerFragment : renderClientFragment
  return (await render(format, { ...input, peer: alice })).content
}

describe.each([
  ['server', 'python', ['scheme', 'asgi', 'grpc']],
  ['server', 'crewai', ['crewai', 'asgi']],
  ['client', 'python', ['httpx', 'credentials']],
  ['client', 'crewai', ['crewai']],
] as const)('config %s --format %s', (side, format, modules) => {
  it('prints a dozen lines, which use the package', async () => {
    const text = await print(side, format, false)
    for (const module of modules) expect(text).toMatch(new RegExp(`^from a2a_totp\\.${module} import `, 'm'))
    const code = text.replace(/"""[^]*?"""/g, '').split('\n')
    expect(code.filter((line) => line.trim() !== '').length).toBeLessThan(15)
    expect(text.split('\n').length).toBeLessThan(30)
    expect(vendoredVersion(text)).toBeUndefined()
  })

  it('prints one file that needs no package with --vendored, under the names that the package has', async () => {
    const text = await print(side, format, true)
    expect(vendoredVersion(text)).toMatchObject({ intact: true })
    expect(text).not.toMatch(/^\s*(from|import) a2a_totp/m)
    expect(text.match(/^from __future__/gm)).toHaveLength(1)
    const short = await print(side, format, false)
    const names = [...short.matchAll(/^from a2a_totp\S+ import (\w+)$/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(text).toMatch(new RegExp(`^(class|def) ${name ?? ''}\\b`, 'm'))
  })
})

describe('the Python package', () => {
  it('has no name at the top level of two modules that can meet in one file', () => {
    const places = new Map<string, string[]>()
    // Both sides of crewAI have files of their own; those are refused above where a name is in them twice.
    const modules = Object.entries(packageSources).filter(([path]) => !path.startsWith('crewai/'))
    for (const [path, text] of modules)
      for (const name of new Set(parseModule(path, text).defines))
        places.set(name, [...(places.get(name) ?? []), path])
    expect(places.size).toBeGreaterThan(100)
    expect([...places].filter(([, paths]) => paths.length > 1)).toEqual([])
  })
})
