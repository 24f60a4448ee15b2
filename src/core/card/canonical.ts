import { TOTPError } from '../errors.js'

/**
 * Returns the canonical text of a JSON value (JCS, RFC 8785): no white space, and the keys of every object in the order
 * of their UTF-16 code units. Numbers and strings are written as JSON.stringify writes them, which is what RFC 8785
 * §3.2.2 asks for. Fields that are undefined are left out, as in JSON.
 *
 * @throws {TOTPError} `ERR_CARD_INVALID` for text that is not Unicode (a surrogate on its own).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    fields.sort(([one], [other]) => (one < other ? -1 : 1))
    return `{${fields.map(([name, field]) => `${canonicalJson(name)}:${canonicalJson(field)}`).join(',')}}`
  }
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
    throw new TOTPError(
      'ERR_CARD_INVALID',
      'the card has text that is not Unicode; remove the lone surrogate',
    )
  }
  return JSON.stringify(value ?? null)
}
