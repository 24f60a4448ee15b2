import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const { exports, peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(`${root}package.json`, 'utf8'),
) as {
  exports: Record<string, string | { types: string; default: string }>
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional?: boolean }>
}

it.each(Object.entries(exports))('the package keeps its promise of %s', (_, target) => {
  for (const file of typeof target === 'string' ? [target] : [target.types, target.default]) {
    const source = file.replace('./dist/', './src/').replace(/\.(d\.ts|js)$/, '.ts')
    expect([source, existsSync(root + source)]).toEqual([source, true])
  }
})

it('asks for no peer dependency that is not optional', () => {
  for (const name of Object.keys(peerDependencies)) {
    expect([name, peerDependenciesMeta[name]?.optional]).toEqual([name, true])
  }
})
