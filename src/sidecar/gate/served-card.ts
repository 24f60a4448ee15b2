import type { ServerResponse } from 'node:http'
import { gateCard } from '../../core/card/gate.js'
import { readCard } from '../../core/card/received.js'
import { cardPath, type CardJson } from '../../core/card/shapes.js'
import { TOTPError } from '../../core/errors.js'
import type { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import { cardAnswer, CardChanges, cardContent, sendCard } from '../card/card-answer.js'
import { ownUrl } from '../card/own-url.js'
import { cardRequestFields, readCardAnswer } from '../card/received-card.js'
import type { RequestHead, Upstream } from '../forward/exchange.js'
import { linesOf } from '../forward/fields.js'
import { answerJson, callOver, passOn } from '../forward/pass-on.js'
import { readNamedFile } from '../named-file.js'
import type { Observer } from '../sidecar.js'
import { publicFields, type ForwardedFrom } from './passed-fields.js'
import { answerTrouble } from './upstream-trouble.js'

/** Which card a gate serves: the agent's, changed or as it is, or one of its own from a file. */
export type CardMode = 'patch' | 'pass' | { readonly file: string }

export interface CardRules {
  readonly mode: CardMode
  /** Where the agent has its card, below its origin; by default where clients look for it. */
  readonly path?: string | undefined
  readonly scheme: TOTPServerAuthScheme
  readonly upstream: Upstream
  /** Where the agent listens, as its card may say it. */
  readonly upstreamUrl: URL
  readonly grpcUpstreamUrl: URL | undefined
  /** Where clients call the gate, if it is known. */
  readonly publicUrl: URL | undefined
  readonly observer: Observer
}

/** The card of an agent behind a gate. It is public, and asked for without anything that a client sent but the version. */
export class ServedCard {
  readonly #rules: CardRules
  readonly #changes = new CardChanges()
  /** Remarks that were reported. */
  readonly #said = new Set<string>()
  #ofFile: CardJson | undefined

  /** @throws {TOTPError} `ERR_CARD_INVALID` or `ERR_FILE_UNREADABLE` for a file that is none or has none */
  constructor(rules: CardRules) {
    this.#rules = rules
    this.reload()
  }

  /** The raw paths at which it is served. */
  get paths(): ReadonlySet<string> {
    return new Set([cardPath, this.#rules.path ?? cardPath])
  }

  /** Reads the file anew, if there is one. @throws {TOTPError} as the constructor; the last card stays */
  reload(): void {
    const { mode } = this.#rules
    if (typeof mode === 'object') this.#ofFile = readCardFile(mode.file)
  }

  /** @param listener where the gate itself listens */
  async serve(head: RequestHead, res: ServerResponse, from: ForwardedFrom, listener: URL): Promise<void> {
    const { mode, upstream, path = cardPath } = this.#rules
    if (this.#ofFile) {
      this.#answer(this.#ofFile, head, res)
      return
    }
    const signal = callOver(res)
    try {
      if (mode === 'pass') {
        const { method, fields } = head
        const request = { method, target: path, fields: publicFields(fields, from), content: undefined }
        await passOn(await upstream.send(request, signal), res)
        return
      }
      const fields = cardRequestFields(linesOf(head.fields, 'a2a-version')[0])
      const request = { method: 'GET', target: path, fields, content: undefined }
      const received = await readCardAnswer(await upstream.send(request, signal))
      if (received.ok) this.#answer(this.#patched(received.card, head, listener), head, res)
      else answerJson(res, 502, 'UNAVAILABLE', `the agent has no card that can be used: ${received.why}`)
    } catch (error) {
      answerTrouble(res, error)
    }
  }

  #patched(card: CardJson, { authority }: RequestHead, listener: URL): CardJson {
    const { scheme, upstreamUrl, grpcUpstreamUrl, publicUrl = ownUrl(authority, listener) } = this.#rules
    const { profile, signed } = scheme
    const patched = gateCard(card, {
      profile,
      signed,
      upstream: upstreamUrl,
      ...(grpcUpstreamUrl && { grpcUpstream: grpcUpstreamUrl }),
      ...(publicUrl && { publicUrl }),
    })
    for (const remark of patched.remarks) this.#remark(remark)
    return patched.card
  }

  #answer(card: CardJson, head: RequestHead, res: ServerResponse): void {
    const content = cardContent(card, head)
    const lastModified = this.#changes.since(content, new Date())
    sendCard(res, cardAnswer(content, head, { lastModified }))
  }

  /** Each once, as long as they are few: what an agent writes is not limited. */
  #remark(message: string): void {
    if (this.#said.has(message) || this.#said.size >= 100) return
    this.#said.add(message)
    const { observer, scheme } = this.#rules
    observer.event({ type: 'card_remark', at: new Date(), agent: scheme.agent ?? '', message })
  }
}

function readCardFile(path: string): CardJson {
  const read = readCard(readNamedFile('--card', path))
  if (read.ok) return read.card
  throw new TOTPError('ERR_CARD_INVALID', `--card ${path}: no agent card: ${read.why}`)
}
