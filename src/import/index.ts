import { readCsv } from './csv.js'
import type { Entry } from './entry.js'
import { invalidImport } from './fields.js'
import { readJson } from './json.js'
import { readKeyUris } from './key-uris.js'
import { isPng, readQr } from './qr-image.js'

export type { Entry } from './entry.js'

/**
 * Reads peers from any supported format: otpauth and otpauth-migration URIs, one per line; a PNG of a QR code that
 * contains one; the JSON of `export`, `config client` or `config server --format maps`; CSV with column names.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` for any other input. No message quotes the input.
 */
export function readImport(bytes: Uint8Array): Entry[] {
  if (isPng(bytes)) return readKeyUris(readQr(bytes))
  const text = decode(bytes)
  const first = firstLine(text)
  if (first === '') throw invalidImport('nothing to import; pass peers, one per line')
  if (/^otpauth/i.test(first)) return readKeyUris(text)
  return /^[{[]/.test(first) ? readJson(text) : readCsv(text)
}

function decode(bytes: Uint8Array): string {
  try {
    // This drops the byte order mark that spreadsheets write.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalidImport('input is neither UTF-8 text nor a PNG image')
  }
}

/** Returns the first line that is neither empty nor a comment. */
function firstLine(text: string): string {
  return /^(?!#)\S.*/m.exec(text.replace(/^[ \t]+/gm, ''))?.[0] ?? ''
}
