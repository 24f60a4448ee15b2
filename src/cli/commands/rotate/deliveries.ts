import type { Peer, Roster } from '../../../core/roster.js'
import { withNewAlone } from '../../../core/staged-rotation.js'
import { renderClientFragment } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { writeServerOut } from '../server-out.js'
import { runMasked, secretsOf, type Problem } from './masked-command.js'
import type { StagedOptions } from './staged-options.js'

export type { Problem }

/**
 * Returns the fragment of a peer with its new credentials.
 *
 * @throws {TOTPError} `ERR_TOKEN_UNKNOWN` when the token stays and only its hash is known; `ERR_CONFIG_INVALID` when the
 *   format cannot represent a value
 */
export async function newFragmentOf(
  { now }: CliContext,
  roster: Roster,
  peer: Peer,
  { format }: StagedOptions,
): Promise<string> {
  const { content } = await renderClientFragment(format, { roster, peer: withNewAlone(peer), at: now() })
  return content
}

/** Writes the server file, and hands it to the command for it. */
export async function deliverServerFile(
  context: CliContext,
  roster: Roster,
  content: string,
  options: StagedOptions,
): Promise<Problem> {
  const { serverOut, deliverServer } = options
  if (serverOut !== undefined) {
    const problem = await writeServerOut(context, roster, serverOut, content)
    if (problem !== undefined) return problem
  }
  if (deliverServer === undefined) return undefined
  context.output.say('delivering the server file')
  const own = { A2A_TOTP_AGENT: roster.agent, A2A_TOTP_FORMAT: 'json' }
  const failure = await runMasked(context, {
    ...{ command: deliverServer, label: 'server', input: content, own },
    ...{ ...options, secrets: secretsOf(roster, [...roster.peers.values()]) },
  })
  return failure === undefined ? undefined : `the server file was not delivered: ${failure}`
}

/** Hands a peer's new fragment to the command for it. */
export async function deliverFragment(
  context: CliContext,
  roster: Roster,
  peer: Peer,
  options: StagedOptions & { readonly deliver: string },
): Promise<Problem> {
  const { deliver, format } = options
  const input = await newFragmentOf(context, roster, peer, options)
  const own = { A2A_TOTP_PEER: peer.name, A2A_TOTP_AGENT: roster.agent, A2A_TOTP_FORMAT: format }
  const failure = await runMasked(context, {
    ...{ command: deliver, label: peer.name, input, own },
    ...{ ...options, secrets: secretsOf(roster, [peer]) },
  })
  return failure === undefined ? undefined : `not delivered: ${failure}`
}
