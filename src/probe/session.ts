import { generateCode } from '../core/totp.js'
import type { CheckId } from './catalogue.js'
import type { Material } from './checks/refusals.js'
import type { HttpClient } from './http.js'
import type { FieldLine } from './outcome.js'
import type { ProbeOptions } from './options.js'
import type { Secrets } from './secrets.js'

export interface Session {
  readonly options: ProbeOptions
  readonly client: HttpClient
  readonly secrets: Secrets
  readonly performed: ReadonlySet<CheckId>
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
}

/** What refusals are made of, with a code that is valid now. */
export function materialNow({ options, secrets }: Session): Material {
  const { credentials, now, random } = options
  const code = generateCode(credentials.seed, credentials, now())
  secrets.remember(code)
  return {
    token: credentials.token.value,
    header: credentials.header,
    unknownToken: Buffer.from(random(32)).toString('base64url'),
    code,
  }
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
