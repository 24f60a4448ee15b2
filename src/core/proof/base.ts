import { combine, hasField, linesOf } from './fields.js'
import type { ProofRules, SignedRequest } from './profile.js'

/** Covered in any case, and after them the field of the code. */
export const alwaysCovered = ['@method', '@path', '@query', 'content-digest', 'authorization']

/** Covered whenever the request has them. The content type of gRPC is its own. */
const coveredIfPresent = {
  http: ['content-type', 'a2a-version', 'a2a-extensions'],
  grpc: ['a2a-version', 'a2a-extensions'],
}

/** A component and its value in one request. */
export interface Component {
  readonly name: string
  readonly value: string
}

/** What a proof of the request covers, in the order in which it is written. */
export function componentsOf(request: SignedRequest, { header }: Pick<ProofRules, 'header'>): string[] {
  const present = coveredIfPresent[request.binding].filter((name) => hasField(request, name))
  return [...alwaysCovered, header, ...present]
}

/** The same with the values, of which each field is read once. */
export function presentComponents(
  request: SignedRequest,
  { header }: Pick<ProofRules, 'header'>,
): Component[] {
  const components = [...alwaysCovered, header].map((name) => ({
    name,
    value: componentValue(request, name),
  }))
  for (const name of coveredIfPresent[request.binding]) {
    const lines = linesOf(request, name)
    if (lines.length > 0) components.push({ name, value: combine(lines) })
  }
  return components
}

/** The value of one of the profile's components (RFC 9421 §2.1, §2.2): a derived one, or a field. */
export function componentValue(request: SignedRequest, name: string): string {
  const { method, target } = request
  const mark = target.indexOf('?')
  if (name === '@method') return method
  if (name === '@path') return mark < 0 ? target : target.slice(0, mark)
  if (name === '@query') return mark < 0 ? '?' : target.slice(mark)
  return combine(linesOf(request, name))
}

/** Whether a value can be part of a signature base: anything else could pretend to be another line of it. */
export function isPlainValue(value: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(value)
}

/**
 * The text that is signed (RFC 9421 §2.5).
 *
 * @param parameters the inner list and its parameters, as in `Signature-Input`
 */
export function signatureBase(
  request: SignedRequest,
  components: readonly string[],
  parameters: string,
): string {
  return baseOf(
    components.map((name) => ({ name, value: componentValue(request, name) })),
    parameters,
  )
}

/** The same of values at hand. */
export function baseOf(components: readonly Component[], parameters: string): string {
  let lines = ''
  for (const { name, value } of components) lines += `"${name}": ${value}\n`
  return `${lines}"@signature-params": ${parameters}`
}
