import { jsonText, printable } from '../../core/text.js'
import type { AuthEvent, ServerFileEvent } from '../../server/scheme/events.js'
import { alarmListener } from '../../server/scheme/warnings.js'
import { formatCall, type LoggedOutcome } from '../../service/call-log.js'
import { ownRefusals, type OwnReason, type SidecarCall, type SidecarEvent } from '../sidecar.js'
import { isDecision, isSidecarEvent, sentenceOf } from './sentences.js'

export type LogFormat = 'text' | 'json'

/** `warning` marks what should wake somebody. */
export type LogLevel = 'info' | 'warning'

export interface LogOptions {
  readonly format: LogFormat
  /** Receives whole lines. */
  readonly write: (line: string) => void
  /** The least level that is written; by default `info`, which is everything. */
  readonly level?: LogLevel
  readonly now?: () => Date
}

/** The log of a sidecar: one line for each call and each event, as text or as one JSON object. Contains no secret. */
export interface SidecarLog {
  call(call: SidecarCall): void
  event(event: AuthEvent | ServerFileEvent | SidecarEvent): void
}

export function sidecarLog({
  format,
  write,
  level: least = 'info',
  now = () => new Date(),
}: LogOptions): SidecarLog {
  const line = (time: Date, level: LogLevel, fields: object, text: () => string): void => {
    if (level === 'info' && least === 'warning') return
    // A Date that is none has no ISO form.
    const at = Number.isNaN(time.getTime()) ? '' : time.toISOString()
    if (format === 'json') write(`${jsonText({ time: at, level, ...fields })}\n`)
    else write(`${printable(`${at} ${level === 'warning' ? 'warning: ' : ''}${text()}`)}\n`)
  }
  const isAlarm = alarmListener(({ event, message }) => {
    const { at, type, ...fields } = event
    line(at, 'warning', { event: type, ...fields, message }, () => message)
  })
  return {
    call: (call) => line(now(), 'info', fieldsOf(call), () => textOf(call)),
    event(event) {
      const { at, type, ...fields } = event
      if (isSidecarEvent(event)) {
        const { level, text } = sentenceOf(event)
        line(at, level, { event: type, ...fields, message: text }, () => text)
        return
      }
      // The line of its call says the same of a decision.
      if (isAlarm(event) || isDecision(event)) return
      const { level, text } = sentenceOf(event)
      line(at, level, { event: type, ...fields, message: text }, () => text)
    },
  }
}

/** With another reason the call was passed on, and ended so. */
const refusedBySidecar: ReadonlySet<OwnReason | undefined> = new Set<OwnReason>(ownRefusals)

/** As of a guard, whoever refused. */
function outcomeIn({ outcome, own, peer }: SidecarCall): LoggedOutcome | undefined {
  return outcome?.refusal === undefined && own !== undefined && refusedBySidecar.has(own)
    ? { refusal: { ...outcome?.caller, ...(peer !== undefined && { peer }), reason: own } }
    : outcome
}

function textOf(call: SidecarCall): string {
  const { role, agent, peer, own, proof, shown, source, waitedMs } = call
  const notes = [
    agent === undefined ? [] : [`agent=${agent}`],
    proof === undefined ? [] : [`proof=${proof}`],
    shown?.proof === undefined ? [] : [`shown=${shown.proofReason ?? shown.proof}`],
    source === undefined ? [] : [`from=${shownSource(source)}`],
    waitedMs === undefined ? [] : [`waited=${Math.round(waitedMs)}ms`],
    own === undefined || refusedBySidecar.has(own) ? [] : [own],
  ].flat()
  const outcome = outcomeIn(call) ?? (peer === undefined ? undefined : { caller: { peer } })
  return [role, formatCall({ ...call, outcome }), ...notes].join(' ')
}

/** An address; anything else comes from a header field, and is quoted, so that it cannot look like the rest of a line. */
function shownSource(source: string): string {
  return /^[\w.:%-]{1,64}$/.test(source) ? source : JSON.stringify(source.slice(0, 64))
}

function fieldsOf(call: SidecarCall): object {
  const { role, agent, method, path, status, durationMs, own, proof, shown, source, upstreamMs, waitedMs } =
    call
  const { caller, refusal } = outcomeIn(call) ?? {}
  const [, code = '', cut] = /^(.*?)( \(cut off\))?$/.exec(status) ?? []
  return {
    event: 'call',
    role,
    agent,
    result: caller ? 'accepted' : refusal ? 'refused' : call.peer === undefined ? 'anyone' : 'passed',
    peer: caller?.peer ?? refusal?.peer ?? call.peer,
    reason: refusal?.reason ?? own,
    method,
    path,
    status: /^\d{3}$/.test(code) ? Number(code) : code,
    cut: cut === undefined ? undefined : true,
    ms: durationMs,
    proof,
    shown: shown?.proof,
    proofReason: shown?.proofReason,
    source: source?.slice(0, 256),
    upstreamMs: rounded(upstreamMs),
    waitedMs: rounded(waitedMs),
  }
}

/** To a hundredth; what is undefined is no key. */
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 100) / 100
}
