import { generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { CheckId } from '../checks/catalogue.js'
import type { Material } from '../checks/refusals.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine } from '../wire/raw-answer.js'
import type { ProbeCredentials, ProbeOptions } from '../options.js'
import type { Secrets } from './secrets.js'
import type { ThrottleWait } from './throttle-wait.js'

export interface Session {
  readonly options: ProbeOptions
  readonly client: HttpClient
  readonly secrets: Secrets
  readonly performed: ReadonlySet<CheckId>
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
  readonly throttleWait: ThrottleWait
}

/** What refusals are made of, with a code that is valid now: that of the time step, unless another is given. */
export function materialNow({ options, secrets }: Session, unspent?: string): Material {
  const { credentials, now, random } = options
  const codes = unspent === undefined ? codesOfNow(credentials, now()) : [unspent]
  const [code = ''] = codes
  const codeWith123 = codes.find((one) => /[123]/.test(one)) ?? code
  secrets.remember(code)
  secrets.remember(codeWith123)
  return {
    token: credentials.token.value,
    header: credentials.header,
    unknownToken: Buffer.from(random(32)).toString('base64url'),
    code,
    codeWith123,
  }
}

/** Every code that is valid now, that of the current time step first. */
function codesOfNow(credentials: ProbeCredentials, at: Date): string[] {
  const step = timeStepAt(credentials, at)
  const drifts = credentials.window === 0 ? [0] : [0, -1, 1]
  return drifts.map((drift) => generateCodeOfStep(credentials.seed, credentials, step + drift))
}

/** The header lines of a call with the right token. */
export function credentialFields({ options, secrets }: Session, code: string): FieldLine[] {
  secrets.remember(code)
  const { token, header } = options.credentials
  return [
    ['Authorization', `Bearer ${token.value}`],
    [header, code],
  ]
}
