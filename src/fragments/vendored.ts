import { hashToken } from '../core/token.js'

/** Which version of a2a-totp made a file, and the digest of the file's text without that line. */
const mark = /^# a2a-totp ([0-9A-Za-z.+-]+), sha256:([0-9a-f]{64})$/m

/** What a vendored file says about itself. */
export interface VendoredVersion {
  readonly version: string
  /** Whether the text is the one that was printed. Line endings do not count: git converts them. */
  readonly intact: boolean
}

/**
 * Returns a text that starts with a comment line, `# a2a-totp VERSION, sha256:HEX`: so that years later a copy of it
 * says where it comes from, and whether someone changed it. `HEX` is the SHA-256 digest of the text without that line.
 */
export function stampVendored(text: string, version: string): string {
  return `# a2a-totp ${version}, sha256:${digestOf(text)}\n${text}`
}

/** Returns what the line of {@link stampVendored} says and whether it is still true; undefined without such a line. */
export function vendoredVersion(text: string): VendoredVersion | undefined {
  const lines = withUnixLineEnds(text)
  const match = mark.exec(lines)
  if (!match) return undefined
  const [line, version = '', digest] = match
  const rest = lines.slice(0, match.index) + lines.slice(match.index + line.length + 1)
  return { version, intact: digestOf(rest) === digest }
}

/** As a file is printed; git may convert it. */
export const withUnixLineEnds = (text: string): string => text.replaceAll('\r\n', '\n')

const digestOf = (text: string): string => hashToken(text).slice('sha256:'.length)
