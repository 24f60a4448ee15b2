import { readCsv } from './csv.js'
import type { Entry } from './entry.js'
import { invalidImport } from './fields.js'
import { readJson } from './json.js'
import { readKeyUris } from './key-uris.js'
import { isPng, readQr } from './qr-image.js'

export type { Entry } from './entry.js'

/**
 * Reads peers from whatever others keep them in: otpauth and otpauth-migration URIs, one a line; a PNG of a QR code
 * with one; our JSON, or the maps; CSV with a line of column names.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` for anything else. No message quotes what stands there.
 */
export function readImport(bytes: Uint8Array): Entry[] {
  if (isPng(bytes)) return readKeyUris(readQr(bytes))
  const text = decode(bytes)
  const first = firstLine(text)
  if (first === '') throw invalidImport('there is nothing to import; give the peers, one a line')
  if (/^otpauth/i.test(first)) return readKeyUris(text)
  return /^[{[]/.test(first) ? readJson(text) : readCsv(text)
}

function decode(bytes: Uint8Array): string {
  try {
    // A byte order mark is dropped: spreadsheets write one.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalidImport('this is neither text in UTF-8 nor a PNG; give one of them')
  }
}

/** The first line that is neither empty nor a remark. */
function firstLine(text: string): string {
  return /^(?!#)\S.*/m.exec(text.replace(/^[ \t]+/gm, ''))?.[0] ?? ''
}
