import { agentIn, type ClientCredentials, type ClientFile } from '../../../client/file/client-file.js'
import { TOTPError } from '../../../core/errors.js'
import { requireKnown, seedToHandOut, tokenToHandOut } from '../../../core/live-credentials.js'
import { peerNamed } from '../../../core/provision.js'
import { policiesOf, type Roster } from '../../../core/roster.js'
import {
  fixedCredentials,
  storeCredentials,
  type CredentialSource,
} from '../../../sidecar/proxy/credentials.js'
import type { SharedClientFile } from '../../../sidecar/proxy/shared-client-file.js'
import type { CliContext } from '../../context.js'
import { findCodeSource, newestSeed } from '../codes/code-source.js'
import { signedIn } from '../probe/probe-credentials.js'

/** The newest live credentials of a peer. */
function credentialsIn(roster: Roster, name: string, at: Date): ClientCredentials {
  const peer = peerNamed(roster, name)
  const { algorithm, digits, period } = peer
  const { window, header } = roster.profile
  return {
    ...{ peer: peer.name, agent: roster.agent, url: roster.url },
    token: tokenToHandOut(peer, at).token,
    seed: seedToHandOut(roster, peer, at).seed,
    profile: { algorithm, digits, period, window, header },
    ...policiesOf(roster, peer),
  }
}

/** Those of a peer of the store, which is followed. */
export function fromStore(
  { now }: CliContext,
  store: Pick<CliContext['store'], 'read' | 'path'>,
  name: string | undefined,
): CredentialSource {
  return storeCredentials(store.path(), async () => {
    const roster = await store.read()
    return credentialsIn(roster, name ?? onlyPeer(roster), now())
  })
}

function onlyPeer({ peers }: Roster): string {
  const [only, second] = peers.keys()
  if (only !== undefined && second === undefined) return only
  throw new TOTPError(
    'ERR_USAGE',
    only === undefined
      ? 'the store has no peers yet; run `a2a-totp add-peer NAME` first'
      : `the store has ${peers.size} peers; pass NAME`,
  )
}

/** @param name of the agent, or of the peer where the file has one agent; undefined where it has one agent */
export function fromClientFile(file: SharedClientFile, name: string | undefined): CredentialSource {
  return file.source((content) => agentOrPeer(content, name))
}

function agentOrPeer(file: ClientFile, name: string | undefined): ClientCredentials {
  const isPeer = name !== undefined && name === file.peer && !file.agents.has(name)
  return agentIn(file, isPeer ? undefined : name)
}

/**
 * Those of the environment, which do not change.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a bad variable; `ERR_TOKEN_MISSING` without a token
 */
export async function fromEnvironment(context: CliContext): Promise<CredentialSource> {
  const source = await findCodeSource(context, undefined)
  const { token, profile, window, peer, agent, url } = source
  if (!token) throw new TOTPError('ERR_TOKEN_MISSING', 'no token to call with; set $A2A_TOTP_TOKEN')
  const { algorithm, digits, period, header } = profile
  return fixedCredentials({
    ...{ peer, agent, url },
    token: requireKnown(token, peer ?? 'the peer'),
    seed: newestSeed(source),
    profile: { algorithm, digits, period, header, ...(window === undefined ? {} : { window }) },
    replay: 'reuse',
    signed: signedIn(context.env).signed,
  })
}
