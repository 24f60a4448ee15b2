import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeStore, runBinary } from './cli.js'
import { readByDotenv } from './env-readers.js'

const wanted = [
  ['server', '--format', 'json', '--out', 'server.json'],
  ['server', '--format', 'python', '--vendored', '--out', 'a2a_totp_server.py'],
  ['client', 'alice', '--format', 'python', '--vendored', '--out', 'a2a_totp_client.py'],
  ['server', '--format', 'crewai', '--vendored', '--out', 'a2a_totp_crewai_server.py'],
  ['client', 'alice', '--format', 'crewai', '--vendored', '--out', 'a2a_totp_crewai_client.py'],
  ['client', 'alice', '--format', 'env', '--out', 'alice.env'],
] as const

/** A store with alice and bob, and the vendored Python files, the server file and alice's variables, in one folder. */
export async function makeAgentFolder(init: readonly string[] = []): Promise<string> {
  const cwd = await makeStore(['alice', 'bob'], init)
  for (const args of wanted) {
    const { exitCode, stderr } = await runBinary(['config', ...args], { cwd })
    if (exitCode !== 0) throw new Error(stderr)
  }
  return cwd
}

/** What alice's env file says. */
export const aliceVariables = (cwd: string): Record<string, string> =>
  readByDotenv(readFileSync(join(cwd, 'alice.env'), 'utf8'))
