import jsQRModule from 'jsqr'
import { PNG } from 'pngjs'
import { invalidImport } from './fields.js'

// jsqr is CommonJS whose types describe an ES module.
const jsQR = jsQRModule as unknown as typeof jsQRModule.default

const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** A screen of today's, several times over; what is larger only eats memory. */
const mostPixels = 64_000_000

export function isPng(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, signature.length), signature) === 0
}

/**
 * The text in a picture of a QR code.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID`
 */
export function readQr(bytes: Uint8Array): string {
  const text = jsQR(...pixelsOf(bytes))?.data
  if (text) return text
  throw invalidImport('no QR code can be read in this picture; crop it to the code, with its white border')
}

function pixelsOf(bytes: Uint8Array): [Uint8ClampedArray, number, number] {
  const file = Buffer.from(bytes)
  try {
    // The header says the size before anything is unpacked.
    if (file.readUInt32BE(16) * file.readUInt32BE(20) > mostPixels) throw invalidImport('too large')
    const { data, width, height } = PNG.sync.read(file)
    return [new Uint8ClampedArray(data), width, height]
  } catch {
    throw invalidImport('this PNG is damaged or too large')
  }
}
