import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout: npm runs scripts there. */
const root = process.cwd()

/** The CLI as it was built last. */
export const binary = join(root, 'bin/a2a-totp.cjs')

/** A helper of the benchmarks, as `scripts/bench.mjs` lays it beside the runner. */
export const helper = (name: string): string => fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))
