import { parseJson } from './json.js'

/** A2A has no use for more; what walks through a value calls itself for each level. */
const deepest = 200

/** The value of a JSON text from outside; undefined if it is not JSON, or nested so deep that it is there to do harm. */
export function parseShallowJson(text: string): unknown {
  return isTooDeep(text) ? undefined : parseJson(text)
}

function isTooDeep(text: string): boolean {
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === quote) isQuoted = !isQuoted
    else if (isQuoted) at += character === backslash ? 1 : 0
    else if (character === openBracket || character === openBrace) depth += 1
    else if (character === closeBracket || character === closeBrace) depth -= 1
    if (depth > deepest) return true
  }
  return false
}

const [quote, backslash] = [0x22, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]
