import { provisionCanary, withCanaries } from '../../../core/canary.js'
import { TOTPError, isTOTPError, type ErrorCode } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { canariesOf, type Canary, type Peer, type Roster } from '../../../core/roster.js'
import { provisionPeer, withPeers, type ProvisionOptions, type PeerRequest } from '../../../core/provision.js'
import { requireStrongSeed } from '../../../core/seed.js'
import { requireStrongToken } from '../../../core/token.js'
import { inContext } from '../../context.js'
import { readGiven } from '../../io/given-file.js'
import type { Entry } from '../../../import/index.js'

interface ImportOptions {
  partial?: true
  allowWeakSeed?: true
  allowWeakToken?: true
}

/** Which credentials of a peer are new, because the file had none. */
interface Made {
  readonly peer: string
  readonly seed: boolean
  readonly token: boolean
}

/** A problem with an entry, and where it is. */
interface Problem {
  readonly where: string
  readonly problem: string
  readonly code: ErrorCode
}

export const define = inContext((command, context) =>
  command
    .argument('<file...>', 'the file, or - for standard input; several for an export in several parts')
    .option('--partial', 'import the valid entries, and report the others')
    .option('--allow-weak-seed', 'accept seeds of less than 128 bits (forbidden by RFC 4226 R6)')
    .option('--allow-weak-token', 'accept tokens of less than 128 bits')
    .addHelpText(
      'after',
      `
The format is detected: otpauth:// or otpauth-migration:// URIs, one per line; a PNG of a QR code with one; JSON from
\`export\`, \`config client\` or \`config server --format maps\`; CSV whose first line names its columns (name, seed, token,
algorithm, digits, period, replay, note; only name is required); exports without encryption of Aegis, 2FAS, andOTP,
Bitwarden, FreeOTP+, Ente Auth (plain text), KeePassXC and 1Password (CSV).

A missing seed or token is created, and import reports for which peer. In JSON it is missing if its key is; an empty value
is an error. An entry with something that looks like a credential but is not recognised, for example a key "secret", is
refused, and so are accounts for HOTP, Steam and other codes that are not TOTP. An export in several QR codes is refused
unless all of its parts are passed.

Examples:
  $ a2a-totp import peers.csv
  $ a2a-totp import screenshot.png
  $ a2a-totp import 1.png 2.png 3.png
  $ a2a-totp import peers.json --json | jq .made
  $ pass show totp/uris | a2a-totp import - --partial`,
    )
    .action(async (paths: string[], options: ImportOptions) => {
      const { store, output, now, random, progress, signal } = context
      const { readImport } = await import('../../../import/index.js')
      const files: Uint8Array[] = []
      for (const path of paths) files.push(await readGiven(context, 'the file to import', path))
      const entries = await progress.during('reading', () => readImport(files, signal))
      let imported: readonly Peer[] = []
      let canaries: readonly Canary[] = []
      let made: readonly Made[] = []
      let problems: readonly Problem[] = []
      await progress.during('importing', () =>
        store.update((roster) => {
          ;({ imported, canaries, made, problems } = admit(roster, entries, options, { at: now(), random }))
          const [first] = problems
          if (first && !options.partial) throw refused(first, problems)
          const withThem = imported.length === 0 ? roster : withPeers(roster, imported)
          return canaries.length === 0 ? withThem : withCanaries(withThem, canaries)
        }),
      )
      for (const { where, problem } of problems) output.warn(`${where}: ${problem}`)
      const count = imported.length + canaries.length
      output.result(`imported ${count}, skipped ${problems.length}`, {
        imported: count,
        skipped: problems.length,
        peers: imported.map(({ name }) => name),
        ...(canaries.length > 0 && { canaries: canaries.map(({ name }) => name) }),
        made,
        problems,
      })
      for (const remark of remarksOn(made)) output.say(remark)
    }),
)

/** Separates entries that can be added from those that cannot, as if they were added one by one. */
function admit(
  roster: Roster,
  entries: readonly Entry[],
  options: ImportOptions,
  making: ProvisionOptions,
): { imported: Peer[]; canaries: Canary[]; made: Made[]; problems: Problem[] } {
  const there = [...roster.peers.values(), ...canariesOf(roster)]
  const tokens = new Set(there.flatMap((one) => one.tokens.map(({ token }) => token.hash)))
  const taken: Taken = { there: new Set(there.map(({ name }) => name)), names: new Set(), tokens }
  const imported: Peer[] = []
  const canaries: Canary[] = []
  const made: Made[] = []
  const problems: Problem[] = []
  for (const entry of entries) {
    const { where } = entry
    if ('problem' in entry || 'nameProblem' in entry) {
      const problem = 'problem' in entry ? entry.problem : entry.nameProblem
      problems.push({ where, problem, code: 'ERR_IMPORT_INVALID' })
      continue
    }
    const take = ({ name, tokens: own }: Peer | Canary): void => {
      taken.names.add(name)
      for (const { token } of own) tokens.add(token.hash)
    }
    try {
      if ('canary' in entry) {
        refuseTaken(entry.canary, taken)
        refuseWeakToken(entry.canary, options)
        const canary = provisionCanary(entry.canary, making)
        take(canary)
        canaries.push(canary)
        continue
      }
      refuseTaken(entry.request, taken)
      const peer = provision(roster, entry.request, options, making)
      take(peer)
      imported.push(peer)
      const isMade = {
        seed: entry.request.seed === undefined && !roster.sharedSeeds,
        token: entry.request.token === undefined,
      }
      if (isMade.seed || isMade.token) made.push({ peer: peer.name, ...isMade })
    } catch (error) {
      if (!isTOTPError(error)) throw error
      problems.push({ where, problem: error.message, code: error.code })
    }
  }
  return { imported, canaries, made, problems }
}

const mostNames = 10

/** One line per kind of new credential, so that none is created unnoticed. */
function remarksOn(made: readonly Made[]): string[] {
  const kinds: [what: string, of: (one: Made) => boolean][] = [
    ['a new seed and a new token', ({ seed, token }) => seed && token],
    ['a new seed', ({ seed, token }) => seed && !token],
    ['a new token', ({ seed, token }) => !seed && token],
  ]
  return kinds.flatMap(([what, of]) => {
    const names = made.filter(of).map(({ peer }) => peer)
    const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : ''
    return names.length === 0 ? [] : `created ${what} for ${names.slice(0, mostNames).join(', ')}${more}`
  })
}

/** Names and tokens in use, which no further peer may have. */
interface Taken {
  readonly there: ReadonlySet<string>
  readonly names: Set<string>
  readonly tokens: Set<string>
}

function refuseTaken(
  { name, token }: Pick<PeerRequest, 'name' | 'token'>,
  { there, names, tokens }: Taken,
): void {
  if (there.has(name)) throw new TOTPError('ERR_PEER_EXISTS', `a peer ${quoteName(name)} already exists`)
  if (names.has(name)) throw new TOTPError('ERR_IMPORT_INVALID', `the name ${quoteName(name)} is used twice`)
  if (token && tokens.has(token.hash))
    throw new TOTPError('ERR_TOKEN_INVALID', 'another peer has the same token; each peer needs its own')
}

function provision(
  roster: Roster,
  request: PeerRequest,
  options: ImportOptions,
  making: ProvisionOptions,
): Peer {
  if (request.seed)
    requireStrongSeed(
      request.seed,
      options.allowWeakSeed ?? false,
      'use a longer one, or pass --allow-weak-seed',
    )
  refuseWeakToken(request, options)
  return provisionPeer(roster, request, making)
}

function refuseWeakToken({ token }: Pick<PeerRequest, 'token'>, { allowWeakToken }: ImportOptions): void {
  if (token)
    requireStrongToken(token, allowWeakToken ?? false, 'use a longer one, or pass --allow-weak-token')
}

/** An existing peer is a negative answer; anything else makes the file unusable. */
function refused(first: Problem, problems: readonly Problem[]): TOTPError {
  const { where, problem } = first
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
  return new TOTPError(
    problems.every(({ code }) => code === 'ERR_PEER_EXISTS') ? 'ERR_PEER_EXISTS' : 'ERR_IMPORT_INVALID',
    `${where}: ${problem}${more}; nothing was imported; pass --partial to import the rest`,
  )
}
