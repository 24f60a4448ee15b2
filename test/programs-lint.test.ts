import { ESLint, Linter } from 'eslint'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const rule = 'no-restricted-syntax'
const eslint = new ESLint({ cwd: fileURLToPath(new URL('..', import.meta.url)) })

/** What the project's rule says about a line, if it stood in this file. */
async function complaints(file: string, line: string): Promise<number> {
  const { rules } = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, Linter.RuleEntry> }
  const own = rules[rule]
  return own === undefined ? 0 : new Linter().verify(line, [{ rules: { [rule]: own } }]).length
}

describe('the linter', () => {
  it.each([
    "import { spawn } from 'node:child_process'",
    "import * as programs from 'child_process'",
    "export { spawn } from 'node:child_process'",
    "const { spawn } = await import('node:child_process')",
    "const { spawn } = require('child_process')",
    'const { spawn } = require(`node:child_process`)',
    "const { spawn } = process.getBuiltinModule('node:child_process')",
    "const name = 'node:child_process'",
    "import cluster from 'node:cluster'",
    "process.execve('/bin/true')",
  ])('refuses %s but in src/programs', async (line) => {
    for (const file of ['src/cli/main.ts', 'src/store/lock/lock.ts', 'src/index.ts', 'bin/a2a-totp.cjs'])
      expect(await complaints(file, line), file).toBe(1)
    expect(await complaints('src/programs/run.ts', line)).toBe(0)
  })

  it('has nothing against another module', async () => {
    expect(await complaints('src/cli/main.ts', "import { join } from 'node:path'")).toBe(0)
  })
})
