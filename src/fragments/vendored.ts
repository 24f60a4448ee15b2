import { hashToken } from '../core/token.js'

/** Which version of a2a-totp made a file, and the digest of the file's text without that line. */
const mark = /^# a2a-totp ([0-9A-Za-z.+-]+), sha256:([0-9a-f]{64})$/m

/** The first sentence of the modules that version 0.1 printed. Later versions say `--vendored` in it. */
const headOf01 =
  /^Made by `a2a-totp config (?:server|client NAME) --format (?:python|crewai)`.* Save it as\b/m

/** The digests of all modules that version 0.1 could print: they did not say which version that was. */
const digestsOf01: readonly string[] = [
  '07e4a33f45f78b8ed36f76abca580249873262c064476c860c2439c31ae10b0e',
  'b1fa10aa5146dea78395090635024e28c2d5accb08f973c35b4e103921397a22',
  'ff966824138d1710dc1b2dc965c8486c08ef41002d725ab3128b8c66f0c4e763',
  '5c3ddc4a2b5f6a3ac729e1772bad4a7ed4fec6d29d99e905e8e7b064765a99dd',
]

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

/**
 * Returns what the line of {@link stampVendored} says and whether it is still true. A module of version 0.1, which has no
 * such line, is known by its first sentence. Undefined for any other text.
 */
export function vendoredVersion(text: string): VendoredVersion | undefined {
  const lines = withUnixLineEnds(text)
  const match = mark.exec(lines)
  if (!match) {
    return headOf01.test(lines)
      ? { version: '0.1', intact: digestsOf01.includes(digestOf(lines)) }
      : undefined
  }
  const [line, version = '', digest] = match
  const rest = lines.slice(0, match.index) + lines.slice(match.index + line.length + 1)
  return { version, intact: digestOf(rest) === digest }
}

/** As a file is printed; git may convert it. */
export const withUnixLineEnds = (text: string): string => text.replaceAll('\r\n', '\n')

const digestOf = (text: string): string => hashToken(text).slice('sha256:'.length)
