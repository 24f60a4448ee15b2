import { extname } from 'node:path'
import { heldIn, type Needle, type Needles } from './needles.js'

/** A larger image is a photograph: to look for a QR code in it takes long. */
const mostImageBytes = 256 * 1024

/** How a file is searched. */
export interface FileSearch {
  readonly needles: Needles
  /** How many images may still be searched for QR codes. */
  readonly left: { images: number }
  readonly signal: AbortSignal
}

/** The credentials that a file holds, as text or in a QR code. */
export async function heldInFile(
  { needles, left, signal }: FileSearch,
  path: string,
  content: Buffer,
): Promise<Needle[]> {
  const held = heldIn(needles, content)
  if (held.length > 0 || !isImage(path) || content.length > mostImageBytes || left.images <= 0) return held
  left.images--
  const { qrText } = await import('./qr-text.js')
  const text = await qrText(content, signal)
  return text === undefined ? [] : heldIn(needles, Buffer.from(text))
}

const isImage = (path: string): boolean => ['.png', '.svg'].includes(extname(path).toLowerCase())
