import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { pythonTests } from '../support/python.js'

const interpreters = fileURLToPath(new URL('../../.venvs/interpreters/node_modules/', import.meta.url))

/** The oldest that is promised, and the newest; 3.11 is what the rest of the suite runs on. */
const versions = ['3.10', '3.12', '3.13', '3.14']

describe.each(versions)('the emitted modules on Python %s', (version) => {
  const folder = `${interpreters}python-${version}`

  // Made by scripts/interop-venvs.sh: in CI it has been run.
  it.skipIf(!existsSync(folder) && !process.env['CI'])('give the verdicts of the vectors', () => {
    const printed = execFileSync(process.execPath, [`${pythonTests}on_any_version.mjs`, folder], {
      encoding: 'utf8',
      timeout: 110_000,
    })
    const report = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as {
      version: string
      checks: number
      wrong: string[]
    }
    expect(report.version.startsWith(`${version}.`)).toBe(true)
    expect(report.checks).toBeGreaterThan(300)
    expect(report.wrong).toEqual([])
  })
})
