/** A bundle of its own, so that only commands that print YAML parse the `yaml` package. */
import { Document, isScalar, visit } from 'yaml'
import { escapeCommands } from '../core/text.js'
import { comments } from './comments.js'

/**
 * A YAML document behind comment lines, which YAML 1.1 and 1.2 read the same: PyYAML and go-yaml still follow 1.1, where
 * a bare `no` or `on` is a boolean. Strings are quoted, and outside ASCII they are escaped.
 *
 * @param value what JSON can hold; members that are undefined are left out, as in JSON
 */
export function yamlDocument(lines: readonly string[], value: object): string {
  const document = new Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false })
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && typeof key.value === 'string' && !plainKey.test(key.value))
        key.type = 'QUOTE_DOUBLE'
    },
  })
  const text = document.toString({
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
    doubleQuotedMinMultiLineLength: Infinity,
  })
  // Two colons, too, are only in quoted strings.
  return comments(lines) + escapeCommands(text.replace(outsideAscii, escape), escape)
}

/** A key that stands bare, unless YAML would take it for another type. */
const plainKey = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/

/** Only quoted strings hold such characters. Some of them end a line in YAML 1.1, and some are invisible. */
const outsideAscii = /[^\n -~]/gu

/** YAML 1.2.2 §5.7. */
function escape(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}
