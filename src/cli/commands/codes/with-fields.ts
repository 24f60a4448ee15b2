import { TOTPError } from '../../../core/errors.js'
import { isHttpToken } from '../../../core/http-token.js'
import { proofFields, type FieldLine } from '../../../core/proof/proof-fields.js'
import { printable } from '../../../core/text.js'

/** Tab and printable ASCII. */
const plain = /^[\t\x20-\x7e]+$/

/** What is written here, or makes a proof invalid. */
const refused: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['authorization', ...proofFields].map((name) => [name, 'is printed anyway'])),
  'content-encoding': 'makes a proof invalid, so send the body as it is',
}

/**
 * Reads the field lines of `--with`.
 *
 * @param header the field that carries the code
 * @param escaped whether they are printed with escapes, so that nothing in them can be a command to a CI runner
 * @throws {TOTPError} `ERR_USAGE` for one that cannot be sent, or not beside a proof. Values are not quoted.
 */
export function parseFields(lines: readonly string[], header: string, escaped: boolean): FieldLine[] {
  return lines.map((line) => {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    if (!isHttpToken(name))
      throw usage("--with takes a header line, for example 'Content-Type: application/json'")
    const lower = name.toLowerCase()
    const reason = lower === header.toLowerCase() ? 'is printed anyway' : reasonOf(lower)
    if (reason !== undefined) throw usage(`--with: ${name} ${reason}; leave it out`)
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (value === '')
      throw usage(`--with: ${name} has no value, and curl does not send such a field; leave it out`)
    if (!plain.test(value))
      throw usage(`--with: ${name} has characters other than printable ASCII; encode them`)
    if (!escaped && printable(value) !== value)
      throw usage(`--with: ${name} has what a CI runner obeys, such as ::; use --json`)
    return [name, value]
  })
}

function reasonOf(name: string): string | undefined {
  return Object.hasOwn(refused, name) ? refused[name] : undefined
}

function usage(message: string): TOTPError {
  return new TOTPError('ERR_USAGE', message)
}
