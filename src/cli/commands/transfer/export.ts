import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { canariesOf, newestLive, type Roster } from '../../../core/roster.js'
import { jsonText, listSome } from '../../../core/text.js'
import { renderServerFragment } from '../../../fragments/index.js'
import { csvColumns } from '../../../import/csv-columns.js'
import { newestSeed, sourceFromStore } from '../codes/code-source.js'
import { inContext } from '../../context.js'
import { keyUriOf } from '../peers/credential-rows.js'
import { choice } from '../../options.js'
import { noteOf } from '../peers/peer-view.js'
import { emitSecret, secretOutOptions, type SecretOutOptions } from '../../io/result-file.js'

/** A peer as `export` prints it and `import` reads it. Secret. */
interface ExportedPeer {
  readonly name: string
  readonly algorithm: string
  readonly digits: number
  readonly period: number
  readonly replay?: string
  readonly signed?: string
  readonly note?: string
  readonly seed: string
  readonly token?: string
  readonly uri: string
}

/** A canary, likewise. */
interface ExportedCanary {
  readonly name: string
  readonly note?: string
  readonly token: string
}

/** The document of `--format json`. */
interface Export {
  readonly agent: string
  readonly peers: readonly ExportedPeer[]
  readonly canaries?: readonly ExportedCanary[]
}

/** `--format`: the keys are the choices. The first is the default. */
const formats = {
  json: (exported) => `${jsonText(exported, 2)}\n`,
  uris: ({ peers }) => lines(peers.map(({ uri }) => uri)),
  csv: ({ peers }) => lines([csvColumns.join(','), ...peers.map(csvLine)]),
  maps: async (_, roster, at) => (await renderServerFragment('maps', { roster, at })).content,
} satisfies Record<string, (exported: Export, roster: Roster, at: Date) => string | Promise<string>>

export const define = inContext((command, context) =>
  secretOutOptions(
    command
      .option(...choice('--format <format>', 'what to print', Object.keys(formats)), 'json')
      .option('--reveal', 'confirm that secrets are to be printed'),
  )
    .addHelpText(
      'after',
      `
Prints what \`import\` reads, without older credentials and peers whose seeds have expired. To back up everything, copy
the store itself.

Examples:
  $ a2a-totp export --reveal --out peers.json
  $ a2a-totp export --reveal --format uris`,
    )
    .action(
      async ({
        format,
        reveal,
        ...out
      }: SecretOutOptions & { format: keyof typeof formats; reveal?: true }) => {
        if (!reveal) {
          throw new TOTPError(
            'ERR_CONFIRMATION_NEEDED',
            'an export contains every seed and token; pass --reveal to continue',
          )
        }
        const roster = await context.store.read()
        const at = context.now()
        const canaries = exportedCanaries(roster, at)
        const exported: Export = {
          agent: roster.agent,
          peers: exportedPeers(roster, at),
          ...(canaries.length > 0 && { canaries }),
        }
        const content = await formats[format](exported, roster, at)
        const leftOut = roster.peers.size - exported.peers.length
        if (leftOut > 0)
          context.output.warn(
            leftOut === 1
              ? 'omitted 1 peer: its seed has expired'
              : `omitted ${leftOut} peers: their seeds have expired`,
          )
        const hashed = [...roster.peers.values(), ...canariesOf(roster)]
          .filter(({ tokens }) => {
            const newest = newestLive(tokens, at)
            return newest !== undefined && newest.token.value === undefined
          })
          .map(({ name }) => name)
        if (hashed.length > 0) {
          context.output.warn(
            `omitted the tokens of ${listSome(hashed)}: only their hashes are known; run a2a-totp rotate NAME --token`,
          )
        }
        if (canaries.length > 0 && format !== 'json') {
          const names = listSome(canaries.map(({ name }) => name))
          context.output.warn(`omitted the canaries (${names}): only --format json can hold them`)
        }
        await emitSecret(context, out, content, format === 'json' ? exported : { format, content })
      },
    ),
)

function exportedPeers(roster: Roster, at: Date): ExportedPeer[] {
  return [...roster.peers.values()].flatMap((peer) => {
    const source = sourceOf(roster, peer, at)
    if (!source) return []
    const { algorithm, digits, period } = peer
    const seed = newestSeed(source)
    return {
      name: peer.name,
      algorithm,
      digits,
      period,
      replay: peer.replay,
      signed: peer.signed,
      note: peer.note,
      seed: seed.base32,
      token: source.token?.value,
      uri: keyUriOf(roster, peer, seed),
    }
  })
}

function exportedCanaries(roster: Roster, at: Date): ExportedCanary[] {
  return canariesOf(roster).flatMap(({ name, note, tokens }) => {
    const token = newestLive(tokens, at)?.token.value
    return token === undefined ? [] : { name, note, token }
  })
}

function sourceOf(
  ...args: Parameters<typeof sourceFromStore>
): ReturnType<typeof sourceFromStore> | undefined {
  try {
    return sourceFromStore(...args)
  } catch (error) {
    if (isTOTPError(error) && error.code === 'ERR_CREDENTIAL_EXPIRED') return undefined
    throw error
  }
}

function csvLine(peer: ExportedPeer): string {
  const shown = { ...peer, note: noteOf(peer) }
  return csvColumns.map((column) => csvField(shown[column] ?? '')).join(',')
}

/** RFC 4180 §2: quoted if necessary. */
function csvField(value: string | number): string {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
