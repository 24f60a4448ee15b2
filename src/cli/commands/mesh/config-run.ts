import { TOTPError } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { didYouMean } from '../../../core/nearest.js'
import { newestLive, type Roster } from '../../../core/roster.js'
import { jsonText } from '../../../core/text.js'
import { readRosters } from '../../../mesh/apply/apply-mesh.js'
import { edgesOf, type Mesh } from '../../../mesh/file/mesh.js'
import { requireOwn } from '../../../mesh/own-store.js'
import { clientDocumentOf, serverDocumentOf } from '../../../mesh/plan/documents.js'
import type { CliContext } from '../../context.js'
import { emitSecret } from '../../io/result-file.js'
import { readAsAgent } from '../config/server-reader.js'
import type { MeshConfigOptions } from './mesh-options.js'
import { openMesh } from './open-mesh.js'

/** Prints the server file of an agent, as its store has it. */
export async function printServer(
  context: CliContext,
  name: string,
  options: MeshConfigOptions,
): Promise<void> {
  const { mesh, stores } = await openMesh(context, options)
  const agent = mesh.agents.get(name) ?? unknown('agent', name, mesh.path, [...mesh.agents.keys()])
  const roster = await stores(agent).read()
  requireOwn(agent, roster)
  const document = serverDocumentOf(roster, context.now())
  const warning = readAsAgent(document, options.allowWeakSeed ?? false)
  await emitSecret(context, options, `${jsonText(document, 2)}\n`, document)
  if (warning !== undefined) context.output.warn(warning)
}

/** Prints the client file of a peer, as the stores have it. */
export async function printClient(
  context: CliContext,
  name: string,
  options: MeshConfigOptions,
): Promise<void> {
  const { mesh, stores } = await openMesh(context, options)
  if (!mesh.peers.has(name)) unknown('peer', name, mesh.path, [...mesh.peers.keys()])
  const rosters = await readRosters({ mesh, stores, signal: context.signal })
  const document = clientDocumentOf(mesh, rosters, name, context.now())
  if (!document) throw nothingFor(mesh, rosters, name, context.now())
  const held = Object.keys((document as { agents?: object }).agents ?? {})
  const missing = edgesOf(mesh, name).flatMap(({ agent }) => (held.includes(agent) ? [] : agent))
  await emitSecret(context, options, `${jsonText(document, 2)}\n`, document)
  if (missing.length > 0)
    context.output.warn(`without ${missing.join(', ')}: run \`a2a-totp mesh plan\` to see what is missing`)
}

/** Why there is nothing to hand out to a peer. */
function nothingFor(mesh: Mesh, rosters: ReadonlyMap<string, Roster>, name: string, at: Date): TOTPError {
  const edges = edgesOf(mesh, name)
  const holders = edges.flatMap(({ agent }) => rosters.get(agent)?.peers.get(name) ?? [])
  if (edges.length > 0 && holders.length === 0)
    return new TOTPError('ERR_STORE_MISSING', `no store knows ${name} yet; run \`a2a-totp mesh apply\` first`)
  const unsent = edges.find(({ agent }) => {
    const peer = rosters.get(agent)?.peers.get(name)
    const token = peer && newestLive(peer.tokens, at)?.token
    return token !== undefined && token.value === undefined
  })
  if (unsent)
    return new TOTPError(
      'ERR_TOKEN_UNKNOWN',
      `only the hash is known of the token of ${name} at ${unsent.agent}, so it cannot be sent; run ` +
        `\`a2a-totp mesh rotate --only ${name}:${unsent.agent} --token\` for a new one`,
    )
  return new TOTPError(
    'ERR_CREDENTIAL_EXPIRED',
    `${name} has no credentials that can be handed out; run \`a2a-totp mesh apply\`, and \`a2a-totp mesh plan\` to see why`,
  )
}

function unknown(kind: 'agent' | 'peer', name: string, path: string, known: readonly string[]): never {
  const next = didYouMean([name], known) ?? `the file names ${known.join(', ') || 'none'}`
  throw new TOTPError('ERR_PEER_UNKNOWN', `${path} has no ${kind} ${quoteName(name)}; ${next}`)
}
