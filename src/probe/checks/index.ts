import type { CellCheckId, CheckId, RunCheckId } from '../check-ids.js'
import { authAfterValid } from './auth.after-valid.js'
import { authBearerOnly } from './auth.bearer-only.js'
import { authCrossPeer } from './auth.cross-peer.js'
import { authDoors } from './auth.doors.js'
import { authDuplicateHeader } from './auth.duplicate-header.js'
import { authExpiredCode } from './auth.expired-code.js'
import { authFutureCode } from './auth.future-code.js'
import { authMalformedCode } from './auth.malformed-code.js'
import { authNone } from './auth.none.js'
import { authStream } from './auth.stream.js'
import { authTotpOnly } from './auth.totp-only.js'
import { authValid } from './auth.valid.js'
import { authWrongCode } from './auth.wrong-code.js'
import { authWrongToken } from './auth.wrong-token.js'
import { cardAnd } from './card.and.js'
import { cardBearer } from './card.bearer.js'
import { cardFetch } from './card.fetch.js'
import { cardSignature } from './card.signature.js'
import { cardTotp } from './card.totp.js'
import { challenge } from './challenge.js'
import { clock } from './clock.js'
import { coverage } from './coverage.js'
import { isolation } from './isolation.js'
import { leak } from './leak.js'
import { reach } from './reach.js'
import { replay } from './replay.js'
import { signedAdvertised } from './signed.advertised.js'
import { signedBody } from './signed.body.js'
import { signedHeader } from './signed.header.js'
import { signedOtherAgent } from './signed.other-agent.js'
import { signedReplay } from './signed.replay.js'
import { signedRequired } from './signed.required.js'
import { signedStale } from './signed.stale.js'
import { signedStripped } from './signed.stripped.js'
import { signedTarget } from './signed.target.js'
import { signedValid } from './signed.valid.js'
import { status } from './status.js'
import { throttle } from './throttle.js'
import { tls } from './tls.js'
import { uniform } from './uniform.js'
import { window } from './window.js'
import type { CellCheck, Check, RunCheck } from './check.js'

/** The checks of the agent as a whole. One that is missing does not compile. */
export const runChecks: Readonly<Record<RunCheckId, RunCheck>> = {
  reach,
  tls,
  'card.fetch': cardFetch,
  'card.bearer': cardBearer,
  'card.totp': cardTotp,
  'card.and': cardAnd,
  'card.signature': cardSignature,
  coverage,
  clock,
  window,
  throttle,
}

/** The checks of each cell. */
export const cellChecks: Readonly<Record<CellCheckId, CellCheck>> = {
  'auth.none': authNone,
  'auth.bearer-only': authBearerOnly,
  'auth.totp-only': authTotpOnly,
  'auth.wrong-code': authWrongCode,
  'auth.expired-code': authExpiredCode,
  'auth.future-code': authFutureCode,
  'auth.cross-peer': authCrossPeer,
  'auth.malformed-code': authMalformedCode,
  'auth.duplicate-header': authDuplicateHeader,
  'auth.wrong-token': authWrongToken,
  'auth.valid': authValid,
  'auth.after-valid': authAfterValid,
  'auth.stream': authStream,
  'auth.doors': authDoors,
  isolation,
  'signed.advertised': signedAdvertised,
  'signed.valid': signedValid,
  'signed.replay': signedReplay,
  'signed.body': signedBody,
  'signed.target': signedTarget,
  'signed.header': signedHeader,
  'signed.stale': signedStale,
  'signed.stripped': signedStripped,
  'signed.other-agent': signedOtherAgent,
  'signed.required': signedRequired,
  challenge,
  status,
  uniform,
  leak,
  replay,
}

export const checks: Readonly<Record<CheckId, Check>> = { ...runChecks, ...cellChecks }
