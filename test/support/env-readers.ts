import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import dotenv from 'dotenv'

/** What a real `sh` has in these variables after it sourced a file with this text. */
export function sourcedBySh(text: string, variables: readonly string[]): Record<string, string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'env-file-'))
  try {
    writeFileSync(join(folder, 'it.env'), text)
    const prints = variables.map((variable) => `printf '%s\\0' "$${variable}"`).join('; ')
    const output = execFileSync('sh', ['-euc', `set -a; . ./it.env; set +a; ${prints}`], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: '/nowhere' },
      timeout: 20_000,
    })
    const values = output.split('\0')
    return Object.fromEntries(variables.map((variable, index) => [variable, values[index]]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the dotenv package reads in this text. */
export function readByDotenv(text: string): Record<string, string> {
  return dotenv.parse(text)
}
