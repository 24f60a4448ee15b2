import { TOTPError } from '../../../core/errors.js'
import { isName } from '../../../core/name.js'
import type { CliContext } from '../../context.js'

/** Where to probe, and as whom; without a name the credentials are those of the environment. */
export interface ProbeTarget {
  readonly url: string
  readonly name?: string
}

interface Given {
  /** The arguments of the command line. */
  readonly first?: string | undefined
  readonly second?: string | undefined
  /** Whether the environment has credentials, under their usual names or others. */
  readonly fromEnvironment: boolean
}

/**
 * Finds out what the arguments mean. One alone is the URL if it contains `://`, else a peer, and the URL is the store's.
 * Without any, credentials of the environment go to `$A2A_TOTP_URL` or to the store's URL, else the store's only peer is
 * taken.
 *
 * @throws {TOTPError} `ERR_USAGE` if that leaves the URL or the peer open.
 */
export async function targetOf(
  context: CliContext,
  { first, second, fromEnvironment }: Given,
): Promise<ProbeTarget> {
  if (second !== undefined) return { url: urlBefore(second, first ?? ''), name: second }
  if (first?.includes('://')) return { url: first }
  if (first !== undefined) {
    if (!isName(first)) {
      throw new TOTPError(
        'ERR_USAGE',
        'the argument is neither a URL nor a peer; a URL starts with http:// or https://',
      )
    }
    return { url: await storedUrl(context), name: first }
  }
  const { A2A_TOTP_URL: known = '' } = context.env
  if (fromEnvironment) return { url: known === '' ? await storedUrl(context) : known }
  return { url: await storedUrl(context), name: await onlyPeer(context) }
}

/** The first of two arguments. */
function urlBefore(second: string, first: string): string {
  if (first.includes('://') || /^https?:/i.test(first)) return first
  throw new TOTPError(
    'ERR_USAGE',
    second.includes('://')
      ? 'the URL comes first, then the peer: a2a-totp probe URL NAME'
      : 'the first of two arguments is the URL, which starts with http:// or https://',
  )
}

async function storedUrl({ store }: CliContext): Promise<string> {
  if (!store.exists()) throw new TOTPError('ERR_USAGE', 'missing the URL of the agent; give it first')
  const { url } = await store.read()
  if (url !== undefined) return url
  throw new TOTPError(
    'ERR_USAGE',
    'the store has no URL of the agent; give it first (`init --url URL` keeps it in a new store)',
  )
}

async function onlyPeer({ store }: CliContext): Promise<string> {
  const { peers } = await store.read()
  const [only, ...others] = peers.keys()
  if (only !== undefined && others.length === 0) return only
  throw new TOTPError(
    'ERR_USAGE',
    only === undefined
      ? 'the store has no peers yet; run `a2a-totp add-peer NAME` first'
      : `the store has ${peers.size} peers; pass NAME`,
  )
}
