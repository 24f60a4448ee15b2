import { TOTPError } from '../errors.js'
import { isObject, type JsonObject } from '../json.js'
import type { TOTPProfile } from '../profile.js'
import type { SignedPolicy } from '../proof/profile.js'
import { isListenOnly, isLoopback, portOf } from '../url.js'
import { inOwnSpelling } from './aliases.js'
import { canonicalJson } from './canonical.js'
import { isSameName } from './hosts.js'
import { parseAddress, type CardInterface } from './interfaces.js'
import { Remarks, shown } from './remarks.js'
import { withAddresses } from './rewritten.js'
import { withTotpSecurity } from './security.js'
import type { CardJson } from './shapes.js'
import { isSigned, withoutSignatures } from './signatures.js'

export interface GateCardOptions {
  /** How codes are made, and the header that carries them. */
  readonly profile: TOTPProfile
  /** The policy of the agent, never that of a peer. */
  readonly signed: SignedPolicy
  /** Where the agent listens. */
  readonly upstream: URL
  /** Where it listens for gRPC; undefined if the gate forwards none. */
  readonly grpcUpstream?: URL
  /**
   * Where clients call the gate. A path is put in front of each path of the card. Undefined if that is unknown: then the
   * addresses are relative to the card, and gRPC, which has no such addresses, is left out.
   */
  readonly publicUrl?: URL
}

/** A card for the clients of an agent behind a gate. */
export interface GateCard {
  readonly card: CardJson
  /** What is odd about the card, safe to print. */
  readonly remarks: readonly string[]
}

/**
 * Returns the card of an agent as its clients see it behind a gate: it demands bearer AND the code, in every alternative,
 * and names the gate wherever it named the agent's own address, a loopback or listening address, or a path. Other hosts
 * are left as they are, with a remark; what is not understood is left out. Signatures are dropped unless nothing has changed. Idempotent.
 *
 * @param card as `readCard` returns it
 */
export function gateCard(card: CardJson, options: GateCardOptions): GateCard {
  const remarks = new Remarks()
  const addressed = withAddresses(card, (one) => publicAddress(one, options, remarks))
  const secured = withSecurity(addressed, options, remarks)
  if (!isSigned(card) || canonicalJson(secured) === canonicalJson(card)) {
    return { card: secured, remarks: remarks.list() }
  }
  remarks.add('the signatures of the card are left out: they are of the card as it was')
  return { card: withoutSignatures(secured), remarks: remarks.list() }
}

/** Whatever schemes the agent has, what it gets to see was let in by the gate. */
function withSecurity(card: CardJson, { profile, signed }: GateCardOptions, remarks: Remarks): CardJson {
  const security = { profile, signed, replace: true }
  try {
    return withTotpSecurity(card, security)
  } catch (error) {
    if (!(error instanceof TOTPError)) throw error
    remarks.add(`the card's own security schemes are replaced: ${error.message}`)
    return withTotpSecurity(withoutSecurity(inOwnSpelling(card)), security)
  }
}

function withoutSecurity(card: CardJson): CardJson {
  const without = (owner: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(owner).filter(([field]) => !securityFields.includes(field)))
  if (!Array.isArray(card['skills'])) return without(card)
  return {
    ...without(card),
    skills: card['skills'].map((one: unknown) => (isObject(one) ? without(one) : one)),
  }
}

const securityFields = ['securityRequirements', 'security', 'securitySchemes']

function publicAddress(
  one: CardInterface,
  { upstream, grpcUpstream, publicUrl }: GateCardOptions,
  remarks: Remarks,
): string | undefined {
  const { binding, written } = one
  const read = parseAddress(written.address, binding, upstream)
  if (!read.understood) {
    remarks.about(one, `is left out: not understood: ${shown(read.why)}`)
    return undefined
  }
  const { url } = read
  const isAgent = [upstream, grpcUpstream].some((known) => known !== undefined && isSamePlace(known, url))
  if (!isAgent && !isLoopback(url) && !isListenOnly(url)) {
    const isPublic = publicUrl !== undefined && isSamePlace(publicUrl, url)
    if (!isPublic) remarks.about(one, `is left as it is: another host, past the gate unless that is in front`)
    return written.address
  }
  if (publicUrl !== undefined && isSamePlace(publicUrl, url) && binding !== 'grpc' && hasBase(publicUrl, url))
    return written.address
  // Nobody can say how an address of an unknown transport is written, but for one that is a URL already.
  if (binding === undefined && (publicUrl === undefined || !/^\s*https?:/i.test(written.address))) {
    remarks.about(one, `is left out: unknown transport`)
    return undefined
  }
  if (binding !== 'grpc') return publicPath(url.pathname, written.address, publicUrl)
  if (grpcUpstream !== undefined && publicUrl !== undefined)
    return `${publicUrl.hostname}:${portOf(publicUrl)}`
  const why = grpcUpstream === undefined ? 'the gate has no --grpc-upstream' : 'the gate has no --public-url'
  remarks.about(one, `is left out: ${why}`)
  return undefined
}

/** A path that is there already is not put in front again. */
function hasBase(publicUrl: URL, { pathname }: URL): boolean {
  const base = publicUrl.pathname.replace(/\/$/, '')
  return base === '' || pathname === base || pathname.startsWith(`${base}/`)
}

function publicPath(pathname: string, written: string, publicUrl: URL | undefined): string {
  const base = publicUrl?.href.replace(/\/$/, '') ?? ''
  // Clients of HTTP+JSON append to the address as it is written.
  const isBare = pathname === '/' && base !== '' && !written.trim().endsWith('/')
  return isBare ? base : base + pathname
}

function isSamePlace(one: URL, other: URL): boolean {
  return isSameName(one, other) && portOf(one) === portOf(other)
}
