import { digestOf } from '../../core/proof/digest.js'
import { isBare, noContent } from '../../core/proof/no-content.js'
import type { Refusal } from '../scheme/refusal.js'
import type { BodyExpectation } from '../scheme/request.js'
import type { TOTPServerAuthScheme } from '../scheme/scheme.js'
import { longestHeld } from './arriving-content.js'
import { hashing, readUpTo } from './web-streams.js'

/** Content that is announced to be no longer is compared before the handler starts, in bytes. */
const longestShort = 16 * 1024

/** Everything by which the body of a request can be read. */
const readers = [
  'arrayBuffer',
  'blob',
  'body',
  'bodyUsed',
  'bytes',
  'clone',
  'formData',
  'json',
  'text',
] as const

/**
 * Compares the content of a `Request` that may have a proof. The handler gets another `Request` in its place, whose body
 * fails at its end if it is not the signed one. The given one reads the same body from then on, for handlers that hold it.
 */
export class CheckedRequest implements BodyExpectation {
  readonly #given: Request
  #current: Request
  #refuse: (() => Refusal) | undefined
  #isOpen = false
  #refusal: Refusal | undefined
  readonly #listeners: ((refusal: Refusal) => void)[] = []

  constructor(given: Request) {
    this.#given = given
    this.#current = given
  }

  /** What the handler gets. */
  get request(): Request {
    return this.#current
  }

  /** Set once the content has turned out to be another one, after its caller was let in. */
  get refusal(): Refusal | undefined {
    return this.#refusal
  }

  /** Whether the content is still to be compared. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Calls back once the content turns out to be another one. */
  onRefused(listener: (refusal: Refusal) => void): void {
    this.#listeners.push(listener)
  }

  expectDigest(
    _algorithm: 'sha-256',
    digest: Uint8Array,
    refuse: () => Refusal,
  ): boolean | Promise<boolean | undefined> | undefined {
    this.#refuse = refuse
    const { body, headers, method } = this.#given
    if (!body) return noContent.equals(digest)
    if (isBare(method)) return this.#compareFirst(body, digest, longestHeld)
    if (headers.has('transfer-encoding')) return this.#compareLater(body, digest)
    const length = headers.get('content-length')
    if (length === null) return this.#compareLaterUnlessEmpty(body, digest)
    return Number(length) <= longestShort
      ? this.#compareFirst(body, digest, Number(length))
      : this.#compareLater(body, digest)
  }

  observeDigest(_algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void {
    const { body } = this.#given
    if (!body) {
      if (!noContent.equals(digest)) mismatch()
      return
    }
    const observed = hashing((seen) => {
      if (!seen.equals(digest)) mismatch()
    })
    this.#replaceBody(body.pipeThrough(observed))
  }

  async #compareFirst(body: ReadableStream<Uint8Array>, digest: Uint8Array, most: number): Promise<boolean> {
    const content = await readUpTo(body, most)
    if (!content || !digestOf('http', content).equals(digest)) return false
    this.#replaceBody(content)
    return true
  }

  #compareLater(body: ReadableStream<Uint8Array>, digest: Uint8Array): Promise<undefined> {
    this.#isOpen = true
    const checked = hashing((seen, controller) => {
      this.#isOpen = false
      if (!seen.equals(digest)) controller.error(this.#refuseLate())
    })
    this.#replaceBody(body.pipeThrough(checked))
    return Promise.resolve(undefined)
  }

  /** Over HTTP/1.1 no length is no content, over HTTP/2 it may be any. */
  async #compareLaterUnlessEmpty(
    body: ReadableStream<Uint8Array>,
    digest: Uint8Array,
  ): Promise<boolean | undefined> {
    const reader = body.getReader()
    const first = await reader.read().catch(() => undefined)
    if (!first) return false
    if (first.done) {
      this.#replaceBody(new Uint8Array())
      return noContent.equals(digest)
    }
    const whole = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(first.value),
      pull: async (controller) => {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    })
    return this.#compareLater(whole, digest)
  }

  #refuseLate(): Error {
    if (this.#refuse && !this.#refusal) {
      this.#refusal = this.#refuse()
      for (const listener of this.#listeners) listener(this.#refusal)
    }
    return new TypeError('the body is not the one that was signed')
  }

  #replaceBody(body: ReadableStream<Uint8Array> | Uint8Array): void {
    const init = { body, duplex: 'half' } as RequestInit
    const current = new Request(this.#given, init)
    for (const name of readers) {
      Object.defineProperty(this.#given, name, {
        configurable: true,
        get: () => {
          const value: unknown = Reflect.get(current, name, current)
          return typeof value === 'function' ? (value.bind(current) as unknown) : value
        },
      })
    }
    this.#current = current
  }
}

/**
 * Returns what compares the content of a request that may have a proof.
 *
 * @returns undefined for a plain request, which is left as it is; `unseen` if somebody has read the content already
 */
export function checkedRequestOf(
  scheme: TOTPServerAuthScheme,
  request: Request,
): CheckedRequest | 'unseen' | undefined {
  if (!scheme.readsProofs || !request.headers.has('signature-input')) return undefined
  return request.bodyUsed || request.body?.locked ? 'unseen' : new CheckedRequest(request)
}

/** The same response, whose body fails once the request's content turns out to be another one. */
export function failingWith(checked: CheckedRequest, response: Response): Response {
  if (!response.body || !checked.isOpen) return response
  let fail: (refusal: Refusal) => void = () => undefined
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => {
      fail = () => controller.error(new TypeError('the request was refused'))
    },
  })
  checked.onRefused(fail)
  return new Response(response.body.pipeThrough(stream), response)
}
