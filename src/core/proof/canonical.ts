import { serialiseString, type BareItem, type Member, type Parameter } from './dictionary.js'

/**
 * Whether a member is written as RFC 8941 §4.1 writes it. What is signed is the text; a reader that knows only what it
 * means writes it anew, and must get the same.
 */
export function isCanonical({ text, value, parameters }: Member): boolean {
  const own = writeParameters(parameters)
  if (own === undefined) return false
  if ('kind' in value) return text === writeItem(value) + own
  const items = value.map((item) => [writeItem(item.value), writeParameters(item.parameters)] as const)
  if (items.some(([, parametersOfItem]) => parametersOfItem === undefined)) return false
  return text === `(${items.map((parts) => parts.join('')).join(' ')})${own}`
}

/** Undefined where a key occurs twice: a writer has one value for it. */
function writeParameters(parameters: readonly Parameter[]): string | undefined {
  if (new Set(parameters.map(({ key }) => key)).size < parameters.length) return undefined
  return parameters
    .map(({ key, value }) => `;${key}${value.value === true ? '' : `=${writeItem(value)}`}`)
    .join('')
}

function writeItem({ kind, value, text }: BareItem): string {
  switch (kind) {
    case 'string':
      return serialiseString(String(value))
    // `-0` too is written as 0.
    case 'integer':
      return String(value)
    case 'decimal':
      return Number.isInteger(value) ? `${String(value)}.0` : String(value)
    case 'bytes':
      return `:${Buffer.from(String(value), 'base64').toString('base64')}:`
    case 'boolean':
      return value === true ? '?1' : '?0'
    case 'token':
      return text
  }
}
