import { proofFields } from '../../core/proof/proof-fields.js'
import { proofTag } from '../../core/proof/profile.js'
import { endToEnd, linesOf, trailersOfRequest, withoutFields, type RawFields } from '../forward/fields.js'
import { assertionHeader } from './assertion.js'

/** Who called, as the agent is told. */
export interface PassedIdentity {
  readonly peer: string
  /** The signed form of it. */
  readonly assertion?: string
}

/** Where a request came from, as the agent is told. */
export interface ForwardedFrom {
  readonly source: string | undefined
  readonly proto: 'http' | 'https'
  /** The authority that the client asked for. */
  readonly host: string
  /** Set if the sender is a trusted proxy, whose own words are then passed on: its address. */
  readonly proxy?: string
}

export interface FieldRules {
  /** The field that carries the code. */
  readonly codeHeader: string
  readonly identityHeader: string
}

/**
 * Fields by which some agents take a request for another one than it is: its method, its target, its origin. Nothing in
 * a proof covers them, and no exemption may depend on them. `Proxy` is `HTTP_PROXY` to programs that are run by CGI.
 */
const misleading =
  /^(x-original-|x-rewrite-|x-http-method|x-method-override$|x-forwarded-|forwarded$|x-real-ip$|x-client-ip$|x-cluster-client-ip$|true-client-ip$|x-envoy-|cf-connecting-|fastly-client-ip$|x-waf-|proxy$)/

/** What a trusted proxy may say of a request, if it says it once. */
const ofProxies = ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-prefix'] as const

/** A name as agents may read it that map names as CGI does (RFC 3875 §4.1.18): `X_TOTP` and `x.totp` are `x-totp`. */
const mapped = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-')

/** A name without what separates its words. */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')

/**
 * The fields that the agent gets: without those of the connection, without credentials and proof, and without any that
 * a client could pass itself off by; then what the gate knows itself.
 */
export function fieldsForAgent(
  fields: RawFields,
  rules: FieldRules,
  from: ForwardedFrom,
  { peer, assertion }: PassedIdentity,
): string[] {
  const kept = withoutFields(clientFields(fields, rules), (name) => name === 'host')
  // Added last: `Connection: TotpPeer` names the client's field, not ours.
  kept.push(...forwardedFields(fields, from))
  kept.push(rules.identityHeader, peer)
  if (assertion !== undefined) kept.push(assertionHeader, assertion)
  return kept
}

/** Trailers of a request, which some agents put among the other fields. */
export function trailersForAgent(trailers: RawFields, rules: FieldRules): string[] {
  return clientFields(trailersOfRequest(trailers), rules)
}

/** Fields that a client may send to what is public: nothing by which it could get more than a page. */
const harmless: ReadonlySet<string> = new Set([
  ...['accept', 'accept-encoding', 'accept-language', 'a2a-version', 'a2a-extensions', 'cache-control'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range'],
  ...['origin', 'user-agent', 'traceparent', 'tracestate'],
])

/** The fields of a request to what is public. */
export function publicFields(fields: RawFields, from: ForwardedFrom): string[] {
  return [...withoutFields(endToEnd(fields), (name) => !harmless.has(name)), ...forwardedFields([], from)]
}

function clientFields(fields: RawFields, { codeHeader, identityHeader }: FieldRules): string[] {
  const secret = new Set(['authorization', bare(codeHeader), bare(identityHeader)])
  if (hasProof(fields)) for (const name of proofFields) secret.add(bare(name))
  return withoutFields(endToEnd(fields), (name) => {
    const plain = bare(name)
    // All names that begin so are the gate's, TotpAssertion among them.
    return secret.has(plain) || plain.startsWith('totp') || misleading.test(mapped(name)) || name === 'expect'
  })
}

/** Whether there is a proof of ours. Signatures of other profiles alone are passed on. */
function hasProof(fields: RawFields): boolean {
  return linesOf(fields, 'signature-input').some((line) => line.includes(proofTag))
}

function forwardedFields(fields: RawFields, { source, proto, host, proxy }: ForwardedFrom): string[] {
  const before = proxy === undefined ? [] : linesOf(fields, 'x-forwarded-for')
  const sender = proxy ?? source
  const own = new Map<string, string>([
    ['x-forwarded-proto', proto],
    ['x-forwarded-host', host],
  ])
  if (proxy !== undefined) {
    for (const name of ofProxies) {
      const [value, second] = linesOf(fields, name)
      if (value !== undefined && second === undefined) own.set(name, value)
    }
  }
  const hops = [...before, ...(sender === undefined ? [] : [sender])]
  return [...(hops.length > 0 ? ['X-Forwarded-For', hops.join(', ')] : []), ...[...own].flat()]
}
