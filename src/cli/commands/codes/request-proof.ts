import { TOTPError } from '../../../core/errors.js'
import { requireKnown, tokenExpired } from '../../../core/live-credentials.js'
import { isName, nameRule } from '../../../core/name.js'
import { digestOf } from '../../../core/proof/digest.js'
import { ProofKey } from '../../../core/proof/key.js'
import { longestLife } from '../../../core/proof/profile.js'
import { linesOfProof, nonceBytes, valuesOf, type FieldLine } from '../../../core/proof/proof-fields.js'
import { signRequest } from '../../../core/proof/sign.js'
import type { CliContext } from '../../context.js'
import { readGiven } from '../../io/given-file.js'
import { newestSeed, type CodeSource } from './code-source.js'
import { parseFields } from './with-fields.js'
import type { RequestLine } from './request-line.js'

/** What `--body` and `--with` say of a request. */
export interface ContentOptions {
  readonly body?: string
  readonly with?: readonly string[]
}

/**
 * Signs a request that waits for its code.
 *
 * @param source the peer, as it is at that time
 * @param code the field that carries the code
 * @returns the three fields of a new proof, and those of `--with`
 */
export type SignWith = (source: CodeSource, code: FieldLine, at: Date) => readonly FieldLine[]

/** Far more than an agent takes; the content is held in memory. */
const longestBody = 1024 * 1024 * 1024

/**
 * Reads everything that a proof needs beside the code.
 *
 * @throws {TOTPError} `ERR_USAGE` for a field that cannot be sent; `ERR_CANNOT_SIGN` if the agent's name is not known;
 *   `ERR_TOKEN_MISSING`, `ERR_TOKEN_UNKNOWN`, `ERR_CREDENTIAL_EXPIRED`, `ERR_FILE_UNREADABLE`
 */
export async function prepareRequest(
  context: CliContext,
  source: CodeSource,
  { method, target }: RequestLine,
  { body, with: given = [] }: ContentOptions,
): Promise<SignWith> {
  const fields = parseFields(given, source.profile.header, context.output.json)
  signerOf(source)
  const content =
    body === undefined
      ? Buffer.alloc(0)
      : await readGiven(context, 'the file given to --body', body, longestBody)
  if (content.length > 0 && valuesOf(fields, 'content-type').length === 0) {
    context.output.say(
      "no Content-Type is signed, so the request must have none, and curl adds one; pass for example --with 'Content-Type: application/json'",
    )
  }
  const digest = digestOf('http', content)
  return (now, code, at) => {
    const { profile, window } = now
    const { key, authorization } = signerOf(now)
    const life = window === undefined ? profile.period : longestLife({ ...profile, window })
    const all: readonly FieldLine[] = [['Authorization', authorization], code, ...fields]
    const header = (name: string): string[] => valuesOf(all, name)
    const created = Math.floor(at.getTime() / 1000)
    const nonce = context.random(nonceBytes)
    const input = { key, header: profile.header, digest, created, expires: created + life, nonce }
    const proof = signRequest({ binding: 'http', method, target, header }, input)
    return [...linesOfProof(proof.fields), ...fields]
  }
}

/** What a proof is made with, beside the code. */
function signerOf(source: CodeSource): { readonly key: ProofKey; readonly authorization: string } {
  const { agent, token, peer } = source
  if (agent === undefined) {
    throw new TOTPError(
      'ERR_CANNOT_SIGN',
      "a proof is for one agent, whose name is not known; set $A2A_TOTP_AGENT to the agent's name",
    )
  }
  if (!isName(agent)) {
    throw new TOTPError('ERR_CONFIG_INVALID', `$A2A_TOTP_AGENT: the name of an agent is ${nameRule}`)
  }
  if (!token) {
    if (peer !== undefined) throw tokenExpired(peer)
    throw new TOTPError(
      'ERR_TOKEN_MISSING',
      'a proof covers the token, and there is none; set $A2A_TOTP_TOKEN',
    )
  }
  const authorization = `Bearer ${requireKnown(token, peer ?? 'the peer').value}`
  return { key: new ProofKey(newestSeed(source), agent), authorization }
}
