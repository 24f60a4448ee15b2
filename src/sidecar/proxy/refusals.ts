import { isTOTPError } from '../../core/errors.js'
import { StepSpentError } from '../../client/scheme/step-queue.js'
import { UpstreamError } from '../forward/exchange.js'
import type { RawFields } from '../forward/fields.js'
import type { OwnReason } from '../sidecar.js'

/** An answer of the sidecar itself. */
export interface OwnAnswer {
  readonly status: number
  /** As in the error of Google's APIs, which A2A uses. */
  readonly code: string
  readonly message: string
  readonly reason: OwnReason
  readonly fields?: RawFields
}

/** Thrown to answer a call so. */
export class Refused extends Error {
  constructor(readonly answer: OwnAnswer) {
    super(answer.message)
  }
}

const upstreamAnswers = {
  unreachable: { status: 502, code: 'UNAVAILABLE', reason: 'upstream-unreachable' },
  cut: { status: 502, code: 'UNAVAILABLE', reason: 'upstream-cut' },
  slow: { status: 504, code: 'DEADLINE_EXCEEDED', reason: 'upstream-slow' },
  unsendable: { status: 400, code: 'INVALID_ARGUMENT', reason: 'bad-request' },
} as const

/** The answer to a call that failed; undefined for an error that is a bug. */
export function answerTo(error: unknown): OwnAnswer | undefined {
  if (error instanceof Refused) return error.answer
  if (error instanceof UpstreamError) {
    return { ...upstreamAnswers[error.kind], message: `the agent cannot be asked: ${error.message}` }
  }
  if (error instanceof StepSpentError) return stepAnswer(error)
  if (!isTOTPError(error)) return undefined
  const { code, message } = error
  if (code === 'ERR_CANNOT_SIGN') {
    const isEncoded = message.includes('Content-Encoding')
    return {
      status: isEncoded ? 415 : 400,
      ...{ code: 'INVALID_ARGUMENT', message, reason: 'bad-request' },
    }
  }
  return { status: 503, code: 'UNAVAILABLE', message, reason: 'no-credentials' }
}

function stepAnswer({ why, freeInMs }: StepSpentError): OwnAnswer {
  const seconds = String(Math.max(1, Math.ceil(freeInMs / 1000)))
  return {
    ...{ status: 503, code: 'UNAVAILABLE', fields: ['Retry-After', seconds] },
    ...(why === 'queue'
      ? {
          reason: 'queue-full',
          message:
            'the agent accepts each code once, and too many requests wait for a time step; see --max-queue',
        }
      : {
          reason: 'queue-wait',
          message: 'the agent accepts each code once, and no time step is free in time; see --max-wait',
        }),
  }
}
