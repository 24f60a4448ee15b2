import type { Readable } from 'node:stream'
import { mayBeRepeated } from '../../client/http/repeat.js'
import { streamBody } from '../../client/scheme/request-signer.js'
import type { TOTPClientAuthScheme } from '../../client/scheme/totp-client-auth-scheme.js'
import { proofFields } from '../../core/proof/proof-fields.js'
import type { OutgoingRequest, RequestHead } from '../forward/exchange.js'
import { endToEnd, pairsOf, withoutFields, type RawFields } from '../forward/fields.js'
import { onlyMessage, type HeldContent } from './held-content.js'

/** A request to the agent, ready but for its credentials. */
export interface OpenCall {
  readonly isGrpc: boolean
  readonly method: string
  /** The origin that it is sent to. */
  readonly origin: string
  /** As it is sent: a proof covers it. */
  readonly target: string
  /** Of the client, without anything that is in place of credentials. */
  readonly fields: RawFields
  readonly content: HeldContent | undefined
  readonly trailers: (() => RawFields) | undefined
  /** The largest content that is held. */
  readonly most: number
}

/** The credentials of one attempt. */
export interface Credentials {
  readonly fields: RawFields
  readonly code: string
  readonly signed: boolean
}

/**
 * The fields of a request that may leave: those of the client end to end, without its own Authorization, code and proof, in
 * any spelling that a server could take for them.
 */
export function clientFields(fields: RawFields, header: string): string[] {
  const own = new Set<string>(['authorization', header.toLowerCase(), ...proofFields].map(spelling))
  return withoutFields(endToEnd(fields), (name) => own.has(spelling(name)))
}

/** Servers that map names as CGI does take these for one. */
const spelling = (name: string): string => name.replace(/[^a-z0-9]/g, '_')

/**
 * The target as a URL has it, which is what a proof covers: without dot segments, for example. A target of two slashes stays
 * a path.
 */
export function sentTarget(origin: string, { target }: Pick<RequestHead, 'target'>): string {
  const { pathname, search } = new URL(origin + target)
  return pathname + search
}

/**
 * Makes the credentials of one attempt.
 *
 * @throws {TOTPError} what the scheme throws; an aborted signal rejects with its reason
 */
export async function credentialsFor(
  scheme: TOTPClientAuthScheme,
  call: OpenCall,
  options: { readonly signal: AbortSignal; readonly notBefore?: Date | undefined },
): Promise<Credentials> {
  const { isGrpc, method, origin, target, fields } = call
  const body = scheme.signs ? await signedContent(call) : undefined
  const { header } = scheme.profile
  const made = await scheme.authorize(
    {
      binding: isGrpc ? 'grpc' : 'http',
      method,
      url: origin + target,
      headers: combined(fields),
      ...(body !== undefined && { body }),
    },
    options,
  )
  return {
    fields: Object.entries(made).flat(),
    code: made[header] ?? '',
    signed: 'Signature-Input' in made,
  }
}

/** What a proof covers of the content; of a content that cannot be covered, a function that says so. */
async function signedContent({
  isGrpc,
  content,
  fields,
  most,
}: OpenCall): Promise<Uint8Array | null | (() => Promise<never>)> {
  if (content?.rest) return streamBody
  const { whole } = content ?? {}
  if (!isGrpc) return whole ?? null
  return (whole && (await onlyMessage(whole, fields, most))) ?? streamBody
}

/** The request with its credentials. */
export function withCredentials(call: OpenCall, credentials: Credentials | undefined): OutgoingRequest {
  const { method, target, fields, content, trailers } = call
  const sent: Uint8Array | Readable | undefined = content?.whole ?? content?.rest
  return {
    ...{ method, target },
    fields: [...fields, ...(credentials?.fields ?? [])],
    content: sent,
    ...(content?.rest && trailers && { trailers }),
  }
}

/** Whether an attempt may be made once more after a refusal: nothing can be done twice by it. */
export function mayRepeat({ isGrpc, method, origin, target, content }: OpenCall, signed: boolean): boolean {
  if (content?.rest) return false
  if (!signed) return true
  if (isGrpc) return !/\/Send(Streaming)?Message$/.test(target)
  return mayBeRepeated({ url: new URL(origin + target), init: { method, body: content?.whole } })
}

/** The values of a name together, as they arrive. */
function combined(fields: RawFields): Record<string, string> {
  const all: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of pairsOf(fields)) {
    const key = name.toLowerCase()
    all[key] = key in all ? `${all[key]}, ${value}` : value
  }
  return { ...all }
}
