import type { IncomingMessage, ServerResponse } from 'node:http'
import { shownPath, stopwatch } from '../../service/call-log.js'
import type { IncomingAnswer, RequestHead } from '../forward/exchange.js'
import { linesOf, trailersOfRequest } from '../forward/fields.js'
import { answerJson, callOver, contentOf, trailersOf } from '../forward/pass-on.js'
import { readPassedHead } from '../forward/passed-head.js'
import type { Observer, SidecarCall } from '../sidecar.js'
import { AgentCalls, type CallOptions, type Course } from './agent-calls.js'
import { browserSign, isOwnHost, type OwnPlace } from './browser-rules.js'
import { CardCalls, passOnFor, uncompressed } from './card-calls.js'
import { admittedTarget, pathPrefix, withoutToken, type LocalAuth } from './local-auth.js'
import { asksForExtendedCard, withRewrittenCard } from './extended-card-call.js'
import { holdContent, type HeldContent } from './held-content.js'
import { answerTo, Refused } from './refusals.js'
import { clientFields, sentTarget, type OpenCall } from './signed-call.js'

export interface HandlerOptions extends CallOptions {
  readonly localAuth: () => LocalAuth
  readonly place: () => OwnPlace
  readonly maxSignedBody: number
  readonly observer: Observer
  readonly now: () => Date
}

/** Answers the requests of the clients of one listener. */
export class ProxyHandler {
  readonly #options: HandlerOptions
  readonly #calls: AgentCalls
  readonly #cards: CardCalls

  constructor(options: HandlerOptions) {
    this.#options = options
    this.#calls = new AgentCalls(options)
    this.#cards = new CardCalls(this.#calls, options)
  }

  /** How many calls wait for a time step. */
  get waiting(): number {
    return this.#calls.waiting
  }

  /** Fetches a card for the proxy itself. */
  fetchCard(target: string, fields: readonly string[], over: AbortSignal): Promise<IncomingAnswer> {
    return this.#cards.fetch(target, fields, over)
  }

  readonly handle = (req: IncomingMessage, res: ServerResponse): void => {
    const { observer, peer } = this.#options
    const elapsed = stopwatch()
    // With the token in the path, nothing of a request is logged before it was taken off.
    const hidden = this.#options.localAuth().kind === 'url'
    const course: Course = { path: hidden ? '/' : shownPath(req.url ?? '') }
    const opened = observer.opened('proxy')
    res.once('close', () => {
      opened()
      const status = res.writableFinished ? String(res.statusCode) : `${res.statusCode} (cut off)`
      const call: SidecarCall = {
        role: 'proxy',
        outcome: undefined,
        agent: peer.agent,
        method: req.method ?? '',
        path: course.path,
        status,
        durationMs: elapsed(),
        ...(course.own === undefined ? {} : { own: course.own }),
        ...(course.waitedMs === undefined ? {} : { waitedMs: course.waitedMs }),
        ...(course.upstreamMs === undefined ? {} : { upstreamMs: course.upstreamMs }),
        ...(course.peer === undefined ? {} : { peer: course.peer }),
        ...(course.signed === undefined ? {} : { proof: course.signed ? 'signed' : 'plain' }),
      }
      observer.call(call)
    })
    const over = callOver(res)
    const fail = (error: unknown): void => {
      if (over.aborted || res.destroyed) {
        course.own ??= 'client-left'
        res.destroy()
        return
      }
      const answer = answerTo(error)
      course.own = answer?.reason ?? 'upstream-answer'
      if (answer) answerJson(res, answer.status, answer.code, answer.message, answer.fields)
      else answerJson(res, 500, 'INTERNAL', 'the call could not be passed on')
    }
    try {
      // At once: what comes behind it may be no HTTP, and closes the connection.
      const head = this.#admit(req)
      this.#serve(req, res, { head, over, course }).catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  async #serve(
    req: IncomingMessage,
    res: ServerResponse,
    { head, over, course }: { head: RequestHead; over: AbortSignal; course: Course },
  ): Promise<void> {
    const { card, localAuth, peer } = this.#options
    const path = head.target.split('?', 1)[0] ?? ''
    course.path = shownPath(head.target)
    peer.requireCredentials()
    if (!peer.breaker.mayTry) throw this.#calls.breakerOpen()
    const self = new URL(pathPrefix(localAuth()), `http://${head.authority}`)
    const cardTarget = head.isGrpc ? undefined : card.cardTarget(path)
    if (cardTarget !== undefined && ['GET', 'HEAD'].includes(head.method)) {
      await this.#cards.serve(head, res, { target: cardTarget, self, over, course })
      return
    }
    const destination = await card.destination(path, head.isGrpc)
    if (destination === undefined) throw noGrpcInterface(card.whyUnread)
    const call = await this.#callOf(req, head, destination)
    const isExtended = card.isExtendedCard(head.method, path)
    const isExtendedCall = !head.isGrpc && asksForExtendedCard(head.method, call.content)
    const readsAnswer = isExtended || isExtendedCall
    const answer = await this.#calls.send(destination, readsAnswer ? uncompressed(call) : call, over, course)
    if (isExtended && answer.status === 200) {
      await this.#cards.answer(head, res, answer, { target: head.target, self, course, isPublic: false })
      return
    }
    let passed: IncomingAnswer | string = answer
    if (isExtendedCall && answer.status === 200) {
      passed = await withRewrittenCard(answer, (one) => card.rewrite(one, head.target, self, false).card)
    }
    if (typeof passed === 'string') {
      course.own = 'upstream-answer'
      answerJson(res, 502, 'BAD_GATEWAY', `the agent's card cannot be used: ${passed}`)
      return
    }
    await passOnFor(course, passed, res)
  }

  /** @throws {Refused} for a request that may not be passed on */
  #admit(req: IncomingMessage): RequestHead {
    const { place, localAuth } = this.#options
    const own = place()
    const hosts = [...linesOf(req.rawHeaders, ':authority'), ...linesOf(req.rawHeaders, 'host')]
    // Before anything else: a page can send its own name here, and nothing more shows that it does.
    if (hosts.length === 0 || !hosts.every((host) => isOwnHost(host, own))) {
      throw forbidden('Host has to be a loopback name with the port of this listener')
    }
    const head = readPassedHead(req)
    if ('refused' in head) {
      throw new Refused({ status: 400, code: 'INVALID_ARGUMENT', message: head.why, reason: 'bad-request' })
    }
    const sign = browserSign(head)
    if (sign !== undefined) throw forbidden(sign)
    const auth = localAuth()
    const target = admittedTarget(auth, head)
    if (target !== undefined) return { ...head, target, fields: withoutToken(auth, head.fields) }
    throw new Refused({
      ...{ status: 401, code: 'UNAUTHENTICATED', reason: 'local-auth' },
      message: 'this listener demands the token of --local-token-file',
      ...(auth.kind === 'header' && { fields: ['WWW-Authenticate', 'Bearer realm="a2a-totp proxy"'] }),
    })
  }

  async #callOf(req: IncomingMessage, head: RequestHead, { origin }: URL): Promise<OpenCall> {
    const { peer, maxSignedBody } = this.#options
    const stream = contentOf(req)
    const { scheme } = peer
    const mustSign = scheme.sign === 'always'
    const [announced] = linesOf(head.fields, 'content-length').map(Number)
    const isLarge = announced !== undefined && announced > maxSignedBody
    if (mustSign && isLarge) throw tooLarge(maxSignedBody)
    let content: HeldContent | undefined
    // A short one is held without signing, too, so that it can be sent again.
    const holds = !isLarge && (scheme.signs || announced !== undefined)
    if (stream) content = holds ? await holdContent(stream, maxSignedBody) : { rest: stream }
    if (mustSign && content?.rest) throw tooLarge(maxSignedBody)
    return {
      isGrpc: head.isGrpc,
      method: head.method,
      origin,
      target: sentTarget(origin, head),
      fields: clientFields(head.fields, scheme.profile.header),
      content,
      trailers: stream && withoutCredentials(trailersOf(req), scheme.profile.header),
      most: maxSignedBody,
    }
  }
}

function withoutCredentials(trailers: () => readonly string[], header: string): () => string[] {
  return () => clientFields(trailersOfRequest(trailers()), header)
}

function noGrpcInterface(whyUnread: string | undefined): Refused {
  if (whyUnread === undefined) {
    const message = 'the agent has no card that names a gRPC interface that may be called'
    return new Refused({ status: 404, code: 'UNIMPLEMENTED', message, reason: 'not-found' })
  }
  const message = `the agent's card cannot be read: ${whyUnread}`
  return new Refused({ status: 502, code: 'UNAVAILABLE', message, reason: 'upstream-answer' })
}

function forbidden(message: string): Refused {
  return new Refused({ status: 403, code: 'PERMISSION_DENIED', message, reason: 'browser' })
}

function tooLarge(most: number): Refused {
  return new Refused({
    ...{ status: 413, code: 'RESOURCE_EXHAUSTED', reason: 'too-large' },
    message: `every request is signed, and this content has more than ${most} bytes; see --max-signed-body`,
  })
}
