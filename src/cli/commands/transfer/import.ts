import { TOTPError, isTOTPError, type ErrorCode } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import type { Peer, Roster } from '../../../core/roster.js'
import { provisionPeer, withPeers, type ProvisionOptions, type PeerRequest } from '../../../core/provision.js'
import { requireStrongSeed } from '../../../core/seed.js'
import { inContext } from '../../context.js'
import { readGiven } from '../../io/given-file.js'
import type { Entry } from '../../../import/index.js'

interface ImportOptions {
  partial?: true
  allowWeakSeed?: true
}

/** Which credentials of a peer are new, because the file held none. */
interface Made {
  readonly peer: string
  readonly seed: boolean
  readonly token: boolean
}

/** What is wrong with an import, and where. */
interface Problem {
  readonly where: string
  readonly problem: string
  readonly code: ErrorCode
}

export const define = inContext((command, context) =>
  command
    .argument('<file>', 'the file, or - for standard input')
    .option('--partial', 'import what is good, and tell of the rest')
    .option('--allow-weak-seed', 'take seeds of less than 128 bits (RFC 4226 R6 forbids it)')
    .addHelpText(
      'after',
      `
What the file is shows in it: otpauth:// or otpauth-migration:// URIs, one a line; a PNG of a QR code with one; JSON of
\`export\`, \`config client\` or \`config server --format maps\`; CSV whose first line names its columns (name, seed, token,
algorithm, digits, period, replay, note; only name is needed).

A seed or a token that is missing is made, and import says for whom. In JSON it is missing when its key is; an empty value is
an error. Nothing is made beside what looks like a credential and is not understood, a key "secret" for example: that is
refused. Export key URIs from authenticator apps.

Examples:
  $ a2a-totp import peers.csv
  $ a2a-totp import screenshot.png
  $ a2a-totp import peers.json --json | jq .made
  $ pass show totp/uris | a2a-totp import - --partial`,
    )
    .action(async (file: string, options: ImportOptions) => {
      const { store, output, now, random, progress } = context
      const { readImport } = await import('../../../import/index.js')
      const entries = readImport(await readGiven(context, 'the file to import', file))
      let imported: readonly Peer[] = []
      let made: readonly Made[] = []
      let problems: readonly Problem[] = []
      await progress.during('importing', () =>
        store.update((roster) => {
          ;({ imported, made, problems } = admit(roster, entries, options, { at: now(), random }))
          const [first] = problems
          if (first && !options.partial) throw refused(first, problems)
          return imported.length === 0 ? roster : withPeers(roster, imported)
        }),
      )
      for (const { where, problem } of problems) output.warn(`${where}: ${problem}`)
      output.result(`imported ${imported.length}, skipped ${problems.length}`, {
        imported: imported.length,
        skipped: problems.length,
        peers: imported.map(({ name }) => name),
        made,
        problems,
      })
      for (const remark of remarksOn(made)) output.say(remark)
    }),
)

/** Sorts what can be added from what cannot, as if one entry after the other were added. */
function admit(
  roster: Roster,
  entries: readonly Entry[],
  options: ImportOptions,
  making: ProvisionOptions,
): { imported: Peer[]; made: Made[]; problems: Problem[] } {
  const tokens = new Set(
    [...roster.peers.values()].flatMap((peer) => peer.tokens.map(({ token }) => token.value)),
  )
  const taken: Taken = { there: roster.peers, names: new Set(), tokens }
  const imported: Peer[] = []
  const made: Made[] = []
  const problems: Problem[] = []
  for (const entry of entries) {
    const { where } = entry
    if ('problem' in entry) {
      problems.push({ ...entry, code: 'ERR_IMPORT_INVALID' })
      continue
    }
    try {
      refuseTaken(entry.request, taken)
      const peer = provision(roster, entry.request, options, making)
      taken.names.add(peer.name)
      for (const { token } of peer.tokens) tokens.add(token.value)
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
  return { imported, made, problems }
}

const mostNames = 10

/** One line for each kind of what was made: a credential that nobody asked for must not go unnoticed. */
function remarksOn(made: readonly Made[]): string[] {
  const kinds: [what: string, of: (one: Made) => boolean][] = [
    ['a new seed and a new token', ({ seed, token }) => seed && token],
    ['a new seed', ({ seed, token }) => seed && !token],
    ['a new token', ({ seed, token }) => !seed && token],
  ]
  return kinds.flatMap(([what, of]) => {
    const names = made.filter(of).map(({ peer }) => peer)
    const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : ''
    return names.length === 0 ? [] : `made ${what} for ${names.slice(0, mostNames).join(', ')}${more}`
  })
}

/** What no further peer may have. */
interface Taken {
  readonly there: Roster['peers']
  readonly names: Set<string>
  readonly tokens: Set<string>
}

function refuseTaken({ name, token }: PeerRequest, { there, names, tokens }: Taken): void {
  if (there.has(name)) throw new TOTPError('ERR_PEER_EXISTS', `there is a peer ${quoteName(name)} already`)
  if (names.has(name))
    throw new TOTPError('ERR_IMPORT_INVALID', `the name ${quoteName(name)} stands there twice`)
  if (token && tokens.has(token.value))
    throw new TOTPError('ERR_TOKEN_INVALID', 'another peer has this token already; each peer needs its own')
}

function provision(
  roster: Roster,
  request: PeerRequest,
  { allowWeakSeed }: ImportOptions,
  making: ProvisionOptions,
): Peer {
  if (request.seed)
    requireStrongSeed(request.seed, allowWeakSeed ?? false, 'ask for a longer one, or say --allow-weak-seed')
  return provisionPeer(roster, request, making)
}

/** That a peer is there already is an answer; anything else makes the file unusable. */
function refused(first: Problem, problems: readonly Problem[]): TOTPError {
  const { where, problem } = first
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
  return new TOTPError(
    problems.every(({ code }) => code === 'ERR_PEER_EXISTS') ? 'ERR_PEER_EXISTS' : 'ERR_IMPORT_INVALID',
    `${where}: ${problem}${more}; nothing was imported, --partial imports the rest`,
  )
}
