import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { hybridCard } from '../../core/card/hybrid.js'
import { protocolOf, type CardJson } from '../../core/card/shapes.js'
import { linesOf, pairsOf, type RawFields } from '../forward/fields.js'

/** A request for a card. */
export interface CardRequest {
  /** `GET` or `HEAD`. */
  readonly method: string
  readonly fields: RawFields
}

/** The answer to a request for a card, whole. */
export interface CardAnswer {
  readonly status: 200 | 304
  readonly fields: RawFields
  /** Undefined for HEAD and 304. */
  readonly content?: Uint8Array
}

export interface CardAnswerOptions {
  /** When the card became what it is, which {@link CardChanges} remembers. */
  readonly lastModified: Date
  /** How long clients may keep the card, in seconds; by default 60. */
  readonly maxAge?: number
  /** Whether caches that serve several clients may keep it too; by default they may. */
  readonly shared?: boolean
}

/**
 * Answers a request for a card as HTTP caches understand it (RFC 9110 §13, RFC 9111): with a strong ETag, and 304 where
 * the client has the card already.
 *
 * @param content of the card, as {@link cardContent} returns it
 */
export function cardAnswer(
  content: Uint8Array,
  { method, fields }: CardRequest,
  { lastModified, maxAge = 60, shared = true }: CardAnswerOptions,
): CardAnswer {
  const etag = etagOf(content)
  const validators = [
    ...['ETag', etag, 'Last-Modified', lastModified.toUTCString()],
    ...['Cache-Control', `${shared ? 'public' : 'private'}, max-age=${String(maxAge)}`],
    ...['Vary', 'A2A-Version'],
  ]
  if (hasIt(fields, etag, lastModified)) return { status: 304, fields: validators }
  const described = ['Content-Type', 'application/json', 'Content-Length', String(content.byteLength)]
  return {
    status: 200,
    fields: [...described, ...validators],
    ...(method !== 'HEAD' && { content }),
  }
}

/** Sends the answer, unless the client has gone or has another one. */
export function sendCard(res: ServerResponse, { status, fields, content }: CardAnswer): void {
  if (res.headersSent || res.destroyed) return
  for (const [name, value] of pairsOf(fields)) res.setHeader(name, value)
  res.statusCode = status
  res.end(content)
}

/**
 * The content of a card for one client: to a client that asks with `A2A-Version: 1.0` or later, the card as it is; to all
 * others a card of 1.0 alone goes as a hybrid, which readers of 0.3 take too.
 */
export function cardContent(card: CardJson, request: Pick<CardRequest, 'fields'>): Uint8Array {
  const asked = linesOf(request.fields, 'a2a-version')[0] ?? ''
  const fits = /^\s*[1-9]/.test(asked) || protocolOf(card) !== '1.0'
  return new TextEncoder().encode(JSON.stringify(fits ? card : hybridCard(card)))
}

/** A strong entity tag: equal for equal bytes alone. */
function etagOf(content: Uint8Array): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}

/** If-None-Match counts, and If-Modified-Since only without it (RFC 9110 §13.2.2). */
function hasIt(fields: RawFields, etag: string, lastModified: Date): boolean {
  const tags = linesOf(fields, 'if-none-match')
  if (tags.length > 0) {
    const listed = tags.join(',').match(/(?:W\/)?"[^"]*"|\*/g) ?? []
    return listed.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
  }
  const [since, ...more] = linesOf(fields, 'if-modified-since')
  if (since === undefined || more.length > 0) return false
  const at = Date.parse(since)
  return !Number.isNaN(at) && Math.floor(lastModified.getTime() / 1000) * 1000 <= at
}

/** More variants than a card has: two versions, by a few names of this machine. */
const mostVariants = 16

/** Remembers since when each variant of a card is as it is. */
export class CardChanges {
  readonly #since = new Map<string, Date>()

  /** Since when the content is what it is; `at` if it is new. */
  since(content: Uint8Array, at: Date): Date {
    const etag = etagOf(content)
    const known = this.#since.get(etag) ?? at
    this.#since.delete(etag)
    this.#since.set(etag, known)
    const [oldest] = this.#since.keys()
    if (this.#since.size > mostVariants && oldest !== undefined) this.#since.delete(oldest)
    return known
  }
}
