import type { IncomingMessage, ServerResponse } from 'node:http'
import { decideNode } from '../../server/adapters/checked-body.js'
import { drain } from '../../server/adapters/drain.js'
import { answerRefusal } from '../../server/adapters/http.js'
import { refuseLate } from '../../server/adapters/late-refusal.js'
import { cutWithCaller } from '../../server/adapters/open-answers.js'
import { amend, decideThen, outcomeOf } from '../../server/adapters/outcomes.js'
import type { AuthOutcome, Caller } from '../../server/scheme/outcome.js'
import type { Refusal } from '../../server/scheme/refusal.js'
import { exactStopwatch, shownPath } from '../../service/call-log.js'
import type { MixedHandler } from '../../service/mixed-listener.js'
import type { IncomingAnswer, OutgoingRequest, RequestHead, Upstream } from '../forward/exchange.js'
import { linesOf } from '../forward/fields.js'
import { answerJson, contentOf, over, passOn, trailersOf } from '../forward/pass-on.js'
import { readPassedHead } from '../forward/passed-head.js'
import type { OwnReason } from '../sidecar.js'
import { EndingStream } from './ending-stream.js'
import type { GateRules } from './gate-rules.js'
import { answerUnimplemented, refuseGrpc, refuseGrpcLate } from './grpc-refusal.js'
import { fieldsForAgent, publicFields, trailersForAgent, type ForwardedFrom } from './passed-fields.js'
import { SignedMessage } from './signed-message.js'
import { answerTrouble, type UpstreamWatch } from './upstream-trouble.js'
import { withWithheldEnd } from './withheld-end.js'

/** Returns what answers the requests at a gate: decides about each before its content is read, and passes on what it lets in. */
export function gateHandler(rules: GateRules): MixedHandler {
  return (req, res) => new Call(rules, req, res).answer()
}

class Call {
  readonly #rules: GateRules
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #elapsed = exactStopwatch()
  readonly #abort = new AbortController()
  #source: string | undefined
  #own: OwnReason | undefined
  #decisionMs: number | undefined
  #upstreamMs: number | undefined

  constructor(rules: GateRules, req: IncomingMessage, res: ServerResponse) {
    this.#rules = rules
    this.#req = req
    this.#res = res
  }

  answer(): void {
    const { cardPaths, publicPaths, serveCard } = this.#rules
    this.#reportOnceOver()
    const head = readPassedHead(this.#req)
    if ('refused' in head) {
      this.#badRequest(head.why)
      return
    }
    const from = this.#forwardedFrom(head)
    const isRead = head.method === 'GET' || head.method === 'HEAD'
    const path = head.target.split('?', 1)[0] ?? ''
    if (isRead && cardPaths.has(path)) {
      drain(this.#req, this.#res)
      void serveCard(head, this.#res, from)
      return
    }
    if (isRead && publicPaths.has(path)) {
      drain(this.#req, this.#res)
      void this.#passOnPublic(head, from)
      return
    }
    if (head.isGrpc) this.#decideGrpc(head, from)
    else this.#decideHttp(head, from)
  }

  #decideHttp(head: RequestHead, from: ForwardedFrom): void {
    const { scheme } = this.#rules
    const [req, res] = [this.#req, this.#res]
    const onLate = (refusal: Refusal): void => {
      refuseLate(req, res, refusal)
      this.#abort.abort(over)
    }
    const source = (): string | undefined => this.#source
    decideNode(scheme, { req, target: head.target, source, refuseLate: onLate }, ({ caller, refusal }) => {
      this.#decided()
      if (!caller) {
        answerRefusal(req, res, refusal)
        return
      }
      // Its answer would show what the agent gets.
      if (head.method === 'TRACE') {
        drain(req, res)
        answerJson(res, 405, 'UNIMPLEMENTED', 'TRACE is not passed on')
        return
      }
      cutWithCaller(caller, req, res)
      const content = contentOf(req)
      const isOpen = content !== undefined && caller.proof === 'signed'
      const passed = isOpen ? withWithheldEnd(content) : content
      void this.#passOn(head, from, caller, passed, this.#rules.upstream)
    })
  }

  #decideGrpc(head: RequestHead, from: ForwardedFrom): void {
    const { scheme, grpcUpstream } = this.#rules
    const [req, res] = [this.#req, this.#res]
    const content = contentOf(req)
    const isSigned = scheme.readsProofs && linesOf(head.fields, 'signature-input').length > 0
    const encoding = linesOf(head.fields, 'grpc-encoding')[0]
    const onLate = (refusal: Refusal): void => {
      amend(scheme, req, refusal)
      refuseGrpcLate(req, res, refusal)
      this.#abort.abort(over)
    }
    const message = isSigned ? new SignedMessage(content, encoding, onLate) : undefined
    const request = {
      binding: 'grpc',
      method: head.method,
      target: head.target,
      header: (name: string) => linesOf(head.fields, name),
      source: this.#source,
      body: message,
    } as const
    decideThen(
      scheme,
      req,
      () => request,
      ({ caller, refusal }: AuthOutcome) => {
        this.#decided()
        if (!caller) {
          refuseGrpc(req, res, refusal)
          return
        }
        if (!grpcUpstream) {
          answerUnimplemented(req, res)
          return
        }
        const ending = new EndingStream(caller, req, res)
        const passed = message?.passedOn() ?? content
        void this.#passOn(head, from, caller, passed, grpcUpstream, (answer) => ending.wrap(answer))
      },
    )
  }

  async #passOn(
    { method, target, fields }: RequestHead,
    from: ForwardedFrom,
    { peer }: Caller,
    content: OutgoingRequest['content'],
    upstream: UpstreamWatch,
    wrap: (answer: IncomingAnswer) => IncomingAnswer = (answer) => answer,
  ): Promise<void> {
    const { scheme, identityHeader, asserter, audience = upstream.origin } = this.#rules
    const agent = scheme.agent ?? ''
    const rules = { codeHeader: scheme.profile.header, identityHeader }
    const assertion = asserter?.sign({ peer, agent, audience })
    const request = {
      method,
      target,
      fields: fieldsForAgent(fields, rules, from, { peer, ...(assertion !== undefined && { assertion }) }),
      content,
      trailers: () => trailersForAgent(trailersOf(this.#req)(), rules),
    }
    await this.#send(request, upstream, wrap)
  }

  async #passOnPublic({ method, target, fields }: RequestHead, from: ForwardedFrom): Promise<void> {
    const request = { method, target, fields: publicFields(fields, from), content: undefined }
    await this.#send(request, this.#rules.upstream, (answer) => answer)
  }

  async #send(
    request: OutgoingRequest,
    upstream: Upstream,
    wrap: (answer: IncomingAnswer) => IncomingAnswer,
  ): Promise<void> {
    const [req, res] = [this.#req, this.#res]
    const closed = this.#rules.observer.opened('gate')
    const elapsed = exactStopwatch()
    try {
      res.once('close', () => this.#abort.abort(over))
      const answer = await upstream.send(request, this.#abort.signal)
      this.#upstreamMs = elapsed()
      const passed = await passOn(wrap(answer), res)
      if (passed === 'cut') this.#own = 'upstream-cut'
      if (passed === 'unusable') this.#own = 'upstream-answer'
    } catch (error) {
      if (res.destroyed) return
      drain(req, res)
      this.#own = answerTrouble(res, error)
    } finally {
      closed()
    }
  }

  #badRequest(why: string): void {
    this.#own = 'bad-request'
    drain(this.#req, this.#res)
    if (this.#req.httpVersionMajor < 2) this.#res.setHeader('Connection', 'close')
    answerJson(this.#res, 400, 'INVALID_ARGUMENT', why)
  }

  #forwardedFrom({ fields, authority }: RequestHead): ForwardedFrom {
    const { trusted, isTls } = this.#rules
    const sender = this.#req.socket.remoteAddress
    const source = trusted.sourceOf(sender, () => linesOf(fields, 'x-forwarded-for'))
    this.#source = source
    const proxy = sender !== undefined && trusted.trusts(sender) ? sender : undefined
    return {
      source,
      proto: isTls ? 'https' : 'http',
      host: authority,
      ...(proxy !== undefined && { proxy }),
    }
  }

  #decided(): void {
    this.#decisionMs = this.#elapsed()
  }

  #reportOnceOver(): void {
    const [req, res] = [this.#req, this.#res]
    const { scheme, observer } = this.#rules
    // Read now: they are gone with the connection.
    const { method = '', url = '' } = req
    this.#source = req.socket.remoteAddress
    res.once('close', () => {
      const outcome = outcomeOf(req, scheme)
      const isWhole = res.writableFinished
      const own = this.#own ?? (isWhole ? undefined : whyCut(outcome))
      observer.call({
        role: 'gate',
        outcome,
        method,
        path: shownPath(url),
        status: res.headersSent ? `${res.statusCode}${isWhole ? '' : ' (cut off)'}` : '- (no answer)',
        durationMs: Math.floor(this.#elapsed()),
        ...(this.#source !== undefined && { source: this.#source }),
        ...(outcome?.caller && { proof: outcome.caller.proof === 'signed' ? 'signed' : 'plain' }),
        ...(outcome && { shown: scheme.shownIn(outcome) }),
        ...(own !== undefined && { own }),
        ...(this.#decisionMs !== undefined && { decisionMs: this.#decisionMs }),
        ...(this.#upstreamMs !== undefined && { upstreamMs: this.#upstreamMs }),
      })
    })
  }
}

/** Why an answer was cut off at the gate; undefined for one whose request was refused. */
function whyCut(outcome: AuthOutcome | undefined): OwnReason | undefined {
  if (outcome?.refusal) return undefined
  return outcome?.caller.signal.aborted ? 'credentials-ended' : 'client-left'
}
