import { PNG } from 'pngjs'
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
  const pixels = Buffer.alloc(width * width, 0xff)
  for (const [, x, y] of svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    const [column, row] = [Number(x) * pixelsPerModule, Number(y) * pixelsPerModule]
    for (let line = row; line < row + pixelsPerModule; line++)
      pixels.fill(0, line * width + column, line * width + column + pixelsPerModule)
  }
  const image = new PNG({ width, height: width })
  image.data = pixels
  return PNG.sync.write(image, { colorType: 0, inputColorType: 0 })
}
