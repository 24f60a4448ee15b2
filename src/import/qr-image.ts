import { invalidImport } from './fields.js'
import { inThread } from './in-thread.js'
import { parsePng } from './png.js'
import type { Found } from './qr-worker.js'

/** How long to look for a code. A screenshot takes less than a second. */
const longestMs = 10_000

/**
 * Returns the text of the QR code in a PNG image. It is read in a thread, which is ended when the signal is aborted or
 * when it takes too long: an image of noise keeps the reader busy for minutes.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the image is damaged, too large or without a QR code
 */
export async function readQr(bytes: Uint8Array, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  // Refused without a thread if its header shows what is wrong.
  parsePng(bytes)
  const found = await inThread<Found>('import-qr-worker.cjs', bytes, { longestMs, signal })
  if (found === 'too long')
    throw invalidImport(`no QR code found in this image in ${longestMs / 1000} s; ${crop}`)
  if (found === 'too much memory') throw invalidImport(`the image takes too much memory; ${crop}`)
  if ('problem' in found) throw invalidImport(found.problem)
  if (found.text) return found.text
  throw invalidImport(`no QR code found in this image; ${crop}`)
}

const crop = 'crop it to the code and its white border'
