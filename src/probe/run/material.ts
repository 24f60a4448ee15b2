import { generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { ProbeCredentials, ProbeOptions } from '../options.js'
import type { Proofs } from './proofs.js'
import type { FieldLine } from '../wire/raw-answer.js'

/** What the requests of checks are made from. */
export interface Material {
  readonly token: string
  readonly header: string
  /** An unknown token. */
  readonly unknownToken: string
  /** A code that would be accepted, with the right token beside it. */
  readonly code: string
  /** Such a code, another one if necessary, with one of the three digits that Latin-1 has as superscripts. */
  readonly codeWith123: string
  /** A code that signed requests, which share that of the current time step, have not spent. */
  readonly unspentBySigned: string
  /** What the agent does with proofs, if they matter and can be made. */
  readonly signed: 'accept' | 'require' | undefined
}

/** What material is made from. */
export interface MaterialTools {
  readonly options: Pick<ProbeOptions, 'credentials' | 'now' | 'random'>
  readonly proofs?: Pick<Proofs, 'matter' | 'requires'>
}

/** Material with a code that is valid now: the code of the current time step, or the given one. */
export function materialNow({ options, proofs }: MaterialTools, unspent?: string): Material {
  const { credentials, now, random } = options
  const codes = unspent === undefined ? codesOfNow(credentials, now()) : [unspent]
  const [code = ''] = codes
  return {
    token: credentials.token.value,
    header: credentials.header,
    unknownToken: Buffer.from(random(32)).toString('base64url'),
    code,
    codeWith123: codes.find((one) => /[123]/.test(one)) ?? code,
    unspentBySigned: nextCode(credentials, now()),
    signed: proofs?.matter ? (proofs.requires ? 'require' : 'accept') : undefined,
  }
}

/** Every code that is valid now, that of the current time step first. */
function codesOfNow(credentials: ProbeCredentials, at: Date): string[] {
  const step = timeStepAt(credentials, at)
  const drifts = credentials.window === 0 ? [0] : [0, -1, 1]
  return drifts.map((drift) => generateCodeOfStep(credentials.seed, credentials, step + drift))
}

/** The code of the next time step if it is valid already, else that of the current one. */
function nextCode(credentials: ProbeCredentials, at: Date): string {
  const step = timeStepAt(credentials, at) + Math.min(credentials.window, 1)
  return generateCodeOfStep(credentials.seed, credentials, step)
}

export const bearerField = (token: string): FieldLine => ['Authorization', `Bearer ${token}`]

/** The header lines of a call with the right token. */
export function credentialFields({ token, header }: ProbeCredentials, code: string): FieldLine[] {
  return [bearerField(token.value), [header, code]]
}
