import jsQRModule from 'jsqr'
import { PNG } from 'pngjs'
import { invalidImport } from './fields.js'

// jsqr is CommonJS, but its types describe an ES module.
const jsQR = jsQRModule as unknown as typeof jsQRModule.default

const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** Several times the size of a large screen. */
const mostPixels = 64_000_000

export function isPng(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, signature.length), signature) === 0
}

/**
 * Returns the text of the QR code in a PNG image.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the image is damaged, too large or without a QR code
 */
export function readQr(bytes: Uint8Array): string {
  const text = jsQR(...pixelsOf(bytes))?.data
  if (text) return text
  throw invalidImport('no QR code found in this image; crop it to the code and its white border')
}

function pixelsOf(bytes: Uint8Array): [Uint8ClampedArray, number, number] {
  const file = Buffer.from(bytes)
  try {
    // The header has the size, so nothing is unpacked before the check.
    if (file.readUInt32BE(16) * file.readUInt32BE(20) > mostPixels) throw invalidImport('too large')
    const { data, width, height } = PNG.sync.read(file)
    return [new Uint8ClampedArray(data), width, height]
  } catch {
    throw invalidImport('the PNG image is damaged or too large')
  }
}
