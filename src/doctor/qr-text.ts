import { deflateSync } from 'node:zlib'
import { readQr } from '../import/qr-image.js'

/** A code for a key URI in a PNG of `show --qr-file` has about 500 × 500 pixels. */
const mostPixels = 4_000_000
const pixelsPerModule = 4

/** Returns the text of the QR code in a PNG, or in an SVG of `show --qr-file`; undefined if there is none. */
export async function qrText(content: Buffer, signal: AbortSignal): Promise<string | undefined> {
  try {
    const png = content.includes('<svg') ? pngOf(content.toString('latin1')) : content
    if (png === undefined || png.readUInt32BE(16) * png.readUInt32BE(20) > mostPixels) return undefined
    return await readQr(png, signal)
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** Draws the modules of our SVG, one `M… h1v1h-1z` each, as a PNG with a grey byte for each pixel. */
function pngOf(svg: string): Buffer | undefined {
  const size = Number(/viewBox="0 0 (\d{1,3}) \1"/.exec(svg)?.[1])
  if (!(size > 0)) return undefined
  const width = size * pixelsPerModule
  // Each line starts with its filter: none.
  const rows = Array.from({ length: width }, () => Buffer.alloc(width + 1, 0xff).fill(0, 0, 1))
  for (const [, x, y] of svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    const [column, row] = [Number(x) * pixelsPerModule, Number(y) * pixelsPerModule]
    for (const line of rows.slice(row, row + pixelsPerModule))
      line.fill(0, 1 + column, 1 + column + pixelsPerModule)
  }
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0])
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(width, 4)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data])
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  crc.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, crc])
}

/** CRC-32 of PNG (ISO 3309). `zlib.crc32` needs Node 22. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
