import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { quoteForShell } from '../core/shell.js'
import { vendoredVersion } from '../fragments/vendored.js'
import type { Finding } from './finding.js'
import { readSmallFile } from './small-file.js'

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
 * Finds Python modules that another version of the tool printed.
 *
 * @param files absolute paths of the work tree's files; without them, the folder of the store is searched
 */
export function auditVendored(
  storePath: string,
  files: readonly string[] | undefined,
  { tool, version, peer }: VendoredOptions,
): Finding[] {
  const folder = dirname(storePath)
  const all = files ?? readdirSync(folder).map((name) => join(folder, name))
  return all
    .filter((file) => file.endsWith('.py'))
    .slice(0, mostFiles)
    .flatMap((file): Finding[] => {
      const text = readSmallFile(file, mostBytes)?.toString()
      const made = text === undefined ? undefined : vendoredVersion(text)
      if (text === undefined || made === undefined || made.version === version) return []
      const changed = made.intact ? '' : ', and was changed by hand: keep what was changed'
      return [
        {
          id: 'vendored-old',
          severity: 'warning',
          subject: file,
          message: `this module was printed by version ${made.version} of a2a-totp, this is ${version}${changed}`,
          fix: `${tool} config ${commandOf(text, peer)} --out ${quoteForShell(file)} --force`,
          joint: {
            noun: 'files',
            message: `these modules were printed by another version of a2a-totp, this is ${version}`,
          },
        },
      ]
    })
}

/** The arguments that print a module like this one. A client's module is the same for all peers. */
function commandOf(text: string, peer: string): string {
  const [, side, format = 'python'] = /`a2a-totp config (client|server)[^`]*--format (\w+)/.exec(text) ?? []
  if (side === 'client') return `client ${peer} --format ${format} --vendored`
  // Version 0.1 printed the same head for both.
  const crewai = text.includes('class TOTPServerAuthScheme(ServerAuthScheme)')
  return `server --format ${crewai ? 'crewai' : format} --vendored`
}
