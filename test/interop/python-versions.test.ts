import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeAgentFolder } from '../support/agent-folder.js'
import { packagePath, pythonTests } from '../support/python.js'

const interpreters = fileURLToPath(new URL('../../.venvs/interpreters/node_modules/', import.meta.url))

/** The oldest that is promised, and the newest; 3.11 is what the rest of the suite runs on. */
const versions = ['3.10', '3.12', '3.13', '3.14']

describe.each(versions)('the Python package on Python %s', (version) => {
  const folder = `${interpreters}python-${version}`

  // Made by scripts/interop-venvs.sh: in CI it has been run.
  const where = {
    package: () => Promise.resolve(packagePath.split(':')),
    'vendored files': async () => [await makeAgentFolder()],
  }

  it.skipIf(!existsSync(folder) && !process.env['CI']).each(['package', 'vendored files'] as const)(
    'gives the verdicts of the vectors (%s)',
    async (which) => {
      const args = [`${pythonTests}on_any_version.mjs`, folder, ...(await where[which]())]
      const printed = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 110_000 })
      const report = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as {
        version: string
        checks: number
        wrong: string[]
      }
      expect(report.version.startsWith(`${version}.`)).toBe(true)
      expect(report.checks).toBeGreaterThan(300)
      expect(report.wrong).toEqual([])
    },
  )
})
