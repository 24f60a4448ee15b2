import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { makeFolder, parseJson, runCli, type CliRun } from './cli.js'
import { git } from './git.js'

const identity = await generateIdentity()

export const recipient = await identityToRecipient(identity)

/** What opens the stores of these tests. */
export const key = { A2A_TOTP_IDENTITY: identity }

/** Runs a command line that has no blanks in its words. */
export const cli = (command: string, cwd: string, env: Record<string, string> = {}): Promise<CliRun> =>
  runCli(command.split(' '), { cwd, env: { ...key, ...env } })

export const bytesOf = (cwd: string): string => readFileSync(join(cwd, 'a2a-totp.json'), 'latin1')

export const isPlain = (cwd: string): boolean => bytesOf(cwd).startsWith('{')

export interface Finding {
  readonly id: string
  readonly severity: string
  readonly message: string
  readonly fix: string
  readonly fixed?: true
}

export async function gitFindings(
  cwd: string,
  command = 'doctor',
  env: Record<string, string> = {},
): Promise<Finding[]> {
  const findings = parseJson(await cli(`${command} --json`, cwd, env))['findings'] as Finding[]
  return findings.filter(({ id }) => id.startsWith('git-'))
}

export const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id)

/** A store with a peer, encrypted, in a work tree. */
export async function encryptedStore(place = 'tree'): Promise<string> {
  const cwd = join(makeFolder(), place)
  mkdirSync(cwd, { recursive: true })
  git(cwd, 'init', '-q')
  await cli(`init --encrypt-to ${recipient}`, cwd)
  await cli('add-peer alice', cwd)
  return cwd
}

/** The same, and committed. */
export async function trackedStore(place?: string): Promise<string> {
  const cwd = await encryptedStore(place)
  git(cwd, 'add', 'a2a-totp.json')
  git(cwd, 'commit', '-q', '-m', 'an encrypted store may be committed')
  return cwd
}

/** What the next commit of everything would publish. */
export function nextCommit(cwd: string, name = 'a2a-totp.json'): string {
  git(cwd, 'add', '-A')
  return git(cwd, 'ls-files', '--stage', '--', name) === '' ? '' : git(cwd, 'show', `:./${name}`)
}
