import { dirname, join } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { vendoredVersion, withUnixLineEnds } from '../fragments/vendored.js'
import type { Finding } from './finding.js'
import { namesIn, readSmallFile } from './small-file.js'

const mostBytes = 1 << 20
/** How many Python files are read. */
const mostFiles = 5000

export interface VendoredOptions {
  readonly tool: string
  /** Of this program. */
  readonly version: string
  /** A peer to print a client's module for. */
  readonly peer: string
}

/**
 * Finds Python modules that another version of the tool printed, or another build of this one.
 *
 * @param files absolute paths of the work tree's files; without them, the folder of the store is searched
 */
export async function auditVendored(
  storePath: string,
  files: readonly string[] | undefined,
  { tool, version, peer }: VendoredOptions,
): Promise<Finding[]> {
  const folder = dirname(storePath)
  const all = files ?? (namesIn(folder) ?? []).map((name) => join(folder, name))
  const findings: Finding[] = []
  for (const file of all.filter((name) => name.endsWith('.py')).slice(0, mostFiles)) {
    const text = readSmallFile(file, mostBytes)?.toString()
    if (text === undefined) continue
    const message = await whatIsOld(text, version)
    if (message === undefined) continue
    findings.push({
      id: 'vendored-old',
      severity: 'warning',
      subject: file,
      message,
      fix: `${tool} config ${commandOf(text, peer)} --out ${quoteForShell(file)} --force`,
      joint: {
        noun: 'files',
        message: `these modules were printed by another version or build of a2a-totp, this is ${version}`,
      },
    })
  }
  return findings
}

/** A sentence about a module that this program would print otherwise; undefined for any other text. */
async function whatIsOld(text: string, version: string): Promise<string | undefined> {
  const made = vendoredVersion(text)
  if (made === undefined) return undefined
  if (made.version !== version) {
    const changed = made.intact ? '' : ', and was changed by hand: keep what was changed'
    return `this module was printed by version ${made.version} of a2a-totp, this is ${version}${changed}${renamed(text)}`
  }
  if (!made.intact) return undefined
  // A bundle of its own, so that it is loaded only where there is such a file.
  const { vendoredSources } = await import('../fragments/sources.js')
  if (vendoredSources().includes(withUnixLineEnds(text))) return undefined
  return `this module was printed by another build of a2a-totp ${version}`
}

/** What version 0.1 called Authenticator is called TOTPServerAuthScheme since: a new module alone breaks the agent's imports. */
function renamed(text: string): string {
  return /^class Authenticator\b/m.test(text)
    ? '; Authenticator is now TOTPServerAuthScheme, see docs/upgrading.md'
    : ''
}

/** The arguments that print a module like this one. A client's module is the same for all peers. */
function commandOf(text: string, peer: string): string {
  const [, side, format = 'python'] = /`a2a-totp config (client|server)[^`]*--format (\w+)/.exec(text) ?? []
  if (side === 'client') return `client ${peer} --format ${format} --vendored`
  // Version 0.1 printed the same head for both.
  const crewai = text.includes('class TOTPServerAuthScheme(ServerAuthScheme)')
  return `server --format ${crewai ? 'crewai' : format} --vendored`
}
