import { TOTPError } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { peerNamed } from '../../../core/provision.js'
import type { Peer, Roster } from '../../../core/roster.js'
import type { PeerChoice, Rotation } from '../../../core/rotation.js'
import { abandonRotation, pendingPeers, stageRotation, type Staging } from '../../../core/staged-rotation.js'
import { printable } from '../../../core/text.js'
import type { CliContext } from '../../context.js'
import { readGivenFile } from '../../io/given-file.js'
import { configClientAgain, configServerAgain } from '../config-commands.js'
import { credentialsOf, textOf } from '../peers/credential-rows.js'
import { requireServerOut, serverFileOf } from '../server-out.js'
import { newFragmentOf } from './deliveries.js'
import { endsOfNew, oldWhilePending, wordsOfNew } from './ends.js'
import { forgetEnded } from './forget-ended.js'
import { recall, remember } from './remembered.js'
import { forget } from './remembered-file.js'
import { serverDelivery } from './server-delivery.js'
import { runStaged, type PeerProgress } from './staged-run.js'
import { deliversServer, isStaged, type GivenStagedOptions } from './given-options.js'
import { completed, type StagedOptions } from './staged-options.js'

// `rotate --finish` delivers with the bundle of this file.
export { serverDelivery }

/** A rotation that is staged, delivered, proved, and only then retires the old credentials. */
export async function rotateStaged(
  context: CliContext,
  choice: PeerChoice,
  rotation: Rotation,
  given: GivenStagedOptions,
): Promise<void> {
  const { store, now, random, output } = context
  const { options, staging } = await requireStageable(context, choice, rotation, given)
  const at = now()
  remember(context, staging.id, options)
  let after: Roster
  let before: Roster | undefined
  try {
    after = await store.update((roster) => stageRotation((before = roster), choice, staging, { at, random }))
  } catch (error) {
    forget(context, staging.id)
    throw error
  }
  const names = peersOf(after, staging.id)
  if (names.length === 0) {
    forget(context, staging.id)
    output.result('', { peers: [] })
    output.say('nothing to rotate')
    return
  }
  output.say(`staged: ${names.join(', ')}`)
  const staged = names.map((name) => peerNamed(after, name))
  const ends = wordsOfNew(endsOfNew(before ?? after, after, staged))
  if (ends !== undefined) output.say(ends)
  await finishRuns(context, [await runOf(context, staging.id, names, options)])
}

/**
 * What would be refused later is refused before anything is changed.
 *
 * @throws {TOTPError} when the rotation cannot be staged, or a file or a fragment would be refused or cannot be written
 */
export async function requireStageable(
  context: CliContext,
  choice: PeerChoice,
  rotation: Rotation,
  given: GivenStagedOptions,
): Promise<{ options: StagedOptions; staging: Staging }> {
  const { store, now, random } = context
  const options = completed(context, given)
  const staging: Staging = { ...rotation, id: `r-${Buffer.from(random(5)).toString('hex')}` }
  const planned = stageRotation(await store.read(), choice, staging, { at: now(), random })
  await requireDeliverable(context, planned, staging.id, options)
  return { options, staging }
}

async function requireDeliverable(
  context: CliContext,
  roster: Roster,
  id: string,
  options: StagedOptions,
): Promise<void> {
  const { serverOut, ca } = options
  if (ca !== undefined) readGivenFile(context, 'the file given to --ca', ca)
  if (serverOut !== undefined) requireServerOut(context, roster, serverOut)
  if (deliversServer(options)) await serverFileOf(context, roster, options)
  for (const name of peersOf(roster, id)) {
    const peer = peerNamed(roster, name)
    // The proof sends what is in the fragment.
    if ((options.deliver ?? options.prove) !== undefined) await newFragmentOf(context, roster, peer, options)
  }
}

/** Goes on with the rotations that are not finished, each with its own options. */
export async function resume(
  context: CliContext,
  names: readonly string[],
  given: GivenStagedOptions,
): Promise<void> {
  const roster = await context.store.read()
  const runs = [...byRotation(pendingOf(roster, names))].map(([id, peers]) => ({
    id,
    peers,
    options: optionsAgain(context, id, peers, given),
  }))
  const ended: Run[] = []
  for (const { id, peers, options } of runs) {
    remember(context, id, options)
    ended.push(await runOf(context, id, peers, options))
  }
  await finishRuns(context, ended)
}

/** @throws {TOTPError} `ERR_USAGE` when nothing is remembered and nothing was given */
function optionsAgain(
  context: CliContext,
  id: string,
  peers: readonly string[],
  given: GivenStagedOptions,
): StagedOptions {
  const remembered = recall(context, id)
  if (!remembered && !isStaged(given)) {
    throw new TOTPError(
      'ERR_USAGE',
      `how to deliver to ${peers.join(', ')} is not remembered here; pass again what the rotation was started with: ` +
        '--deliver, --server-out, --deliver-server, --prove, --format',
    )
  }
  const options = completed(context, given, remembered)
  const { deliver, deliverServer, serverOut, prove } = options
  const lines = Object.entries({ deliver, 'deliver-server': deliverServer, 'server-out': serverOut, prove })
  for (const [name, value] of lines) {
    if (value !== undefined)
      context.output.remark(`resuming ${peers.join(', ')}: --${name} ${printable(value)}`)
  }
  return options
}

/** Drops what was staged and not delivered. */
export async function abandon(
  context: CliContext,
  names: readonly string[],
  given: GivenStagedOptions,
): Promise<void> {
  const { store, now, output } = context
  const before = await store.read()
  const chosen = pendingOf(before, names).map(({ name }) => name)
  const deliver = await serverDelivery(context, abandonRotation(before, chosen, now()), given)
  const after = await store.update((roster) => abandonRotation(roster, chosen, now()))
  forgetEnded(context, before, after)
  const rows = chosen.map((name) => ({
    ...credentialsOf(after, peerNamed(after, name), false),
    ...{ step: null, done: true },
  }))
  output.result(rows.map(textOf).join('\n'), { peers: rows })
  if (!deliver) {
    output.say(`abandoned; next: update the server file, ${configServerAgain}`)
    return
  }
  const problem = await deliver(after)
  if (problem === undefined) output.say('abandoned')
  else throw new TOTPError('ERR_DELIVERY_FAILED', `abandoned, but ${problem}`)
}

interface Run {
  readonly id: string
  readonly progress: readonly PeerProgress[]
  readonly options: StagedOptions
}

async function runOf(
  context: CliContext,
  id: string,
  names: readonly string[],
  options: StagedOptions,
): Promise<Run> {
  return { id, options, progress: await runStaged(context, id, names, options) }
}

/** Prints how far each peer has come. @throws {TOTPError} `ERR_DELIVERY_FAILED` when one is not done */
async function finishRuns(context: CliContext, runs: readonly Run[]): Promise<void> {
  const { store, output, now } = context
  const roster = await store.read()
  for (const { id } of runs) if (peersOf(roster, id).length === 0) forget(context, id)
  const rows = runs
    .flatMap(({ progress }) => progress)
    .map((one) => {
      const peer = roster.peers.get(one.name)
      return { ...(peer ? credentialsOf(roster, peer, false) : noCredentials(one.name)), ...one }
    })
  output.result(rows.map((row) => `${textOf(row)}  ${standingOf(row)}`).join('\n'), { peers: rows })
  const next = nextOf(runs)
  if (next.length > 0) output.say(`next: ${next.join(', then ')}`)
  const left = rows.filter(({ done }) => !done)
  if (left.length === 0) return
  const names = left.map(({ name }) => name)
  const old = oldWhilePending(roster, names, now())
  const told = left.map(({ name, problem = 'not finished' }) => `${name} (${problem})`).join('; ')
  throw new TOTPError(
    'ERR_DELIVERY_FAILED',
    `the rotation is not finished for ${told}; ${old}; next: a2a-totp rotate --resume`,
  )
}

/** What the rotations that are done have left to the operator. */
function nextOf(runs: readonly Run[]): string[] {
  const doneIn = ({ progress }: Run): string[] => progress.filter(({ done }) => done).map(({ name }) => name)
  const server = runs.some((run) => !deliversServer(run.options) && doneIn(run).length > 0)
  const clients = runs.filter(({ options }) => options.deliver === undefined).flatMap(doneIn)
  return [...(server ? [configServerAgain] : []), ...(clients.length > 0 ? [configClientAgain(clients)] : [])]
}

const noCredentials = (name: string) => ({ name, seedId: null, tokenId: null, expiresAt: null })

const standingOf = ({ step, done }: PeerProgress): string => (done ? 'done' : `pending: ${step ?? 'ended'}`)

/** The peers of a rotation that is pending. */
function peersOf(roster: Roster, id: string): string[] {
  return pendingPeers(roster).flatMap(({ name, pending }) => (pending?.id === id ? name : []))
}

/** @throws {TOTPError} `ERR_NOTHING_PENDING`, `ERR_PEER_UNKNOWN` */
function pendingOf(roster: Roster, names: readonly string[]): Peer[] {
  if (names.length === 0) {
    const all = pendingPeers(roster)
    if (all.length > 0) return all
    throw new TOTPError('ERR_NOTHING_PENDING', 'no rotation is pending; `a2a-totp list` shows what is')
  }
  return names.map((name) => {
    const peer = peerNamed(roster, name)
    if (peer.pending) return peer
    throw new TOTPError('ERR_NOTHING_PENDING', `no rotation of ${quoteName(name)} is pending`)
  })
}

function byRotation(peers: readonly Peer[]): Map<string, string[]> {
  const runs = new Map<string, string[]>()
  for (const { name, pending } of peers) {
    if (pending) runs.set(pending.id, [...(runs.get(pending.id) ?? []), name])
  }
  return runs
}
