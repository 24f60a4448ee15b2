import { inflateSync } from 'node:zlib'
import { invalidImport } from './fields.js'

const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** A photo of 12 megapixels fits, and what it unpacks to stays below 140 MB. */
const mostPixels = 4096 * 4096

/** The header of a PNG image and the content of its chunks, checked but not unpacked. */
export interface Png {
  readonly width: number
  readonly height: number
  /** Bits per sample. */
  readonly depth: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly color: number
  readonly interlaced: boolean
  readonly palette: Uint8Array
  /** The transparent grey or colour, or the opacities of the palette. */
  readonly transparency: Uint8Array
  readonly data: readonly Uint8Array[]
}

export function isPng(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, signature.length), signature) === 0
}

/** Samples per pixel, and the allowed depths (PNG §11.2.2). */
const colors: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
}

export const samplesOf = ({ color }: Pick<Png, 'color'>): number => colors[color]?.samples ?? 0

/**
 * Reads the chunks of a PNG image (PNG §5). Nothing is unpacked, so this takes neither time nor memory.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the image is damaged or has more than {@link mostPixels}
 */
export function parsePng(bytes: Uint8Array): Png {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let header: Pick<Png, 'width' | 'height' | 'depth' | 'color' | 'interlaced'> | undefined
  let [palette, transparency] = [new Uint8Array(), new Uint8Array()]
  const data: Uint8Array[] = []
  for (const { type, content } of chunksOf(file)) {
    // A second header would make another image of the same data.
    if ((type === 'IHDR') !== (header === undefined)) throw damaged()
    if (type === 'IHDR') header = headerIn(content)
    else if (type === 'PLTE') palette = content
    else if (type === 'tRNS') transparency = content
    else if (type === 'IDAT') data.push(content)
  }
  if (header === undefined || data.length === 0) throw damaged()
  return { ...header, palette, transparency, data }
}

function* chunksOf(file: Buffer): Generator<{ type: string; content: Uint8Array<ArrayBuffer> }> {
  let offset = signature.length
  for (;;) {
    if (offset + 12 > file.length) throw damaged()
    const length = file.readUInt32BE(offset)
    const type = file.toString('latin1', offset + 4, offset + 8)
    const end = offset + 8 + length
    if (end + 4 > file.length) throw damaged()
    if (type === 'IEND') return
    yield { type, content: file.subarray(offset + 8, end) as Uint8Array<ArrayBuffer> }
    offset = end + 4
  }
}

function headerIn(content: Uint8Array): Pick<Png, 'width' | 'height' | 'depth' | 'color' | 'interlaced'> {
  if (content.length !== 13) throw damaged()
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const [width, height] = [view.getUint32(0), view.getUint32(4)]
  const [depth, color, compression, filter, interlace] = content.subarray(8)
  if (width === 0 || height === 0) throw damaged()
  if (width * height > mostPixels)
    throw invalidImport(
      `the image has ${width} x ${height} pixels, more than ${mostPixels / 1024 / 1024} million; crop it to the QR code and its white border`,
    )
  if (color === undefined || depth === undefined || !colors[color]?.depths.includes(depth)) throw damaged()
  if (compression !== 0 || filter !== 0 || interlace === undefined || interlace > 1) throw damaged()
  return { width, height, depth, color, interlaced: interlace === 1 }
}

/** A part of the image that is stored on its own: all of it, or one pass of Adam7 (PNG §8.2). */
export interface Pass {
  readonly width: number
  readonly height: number
  /** Where its first pixel is, and how far apart its pixels are. */
  readonly x: number
  readonly y: number
  readonly dx: number
  readonly dy: number
  /** Bytes per row, without the byte that names the filter. */
  readonly stride: number
}

const adam7: readonly (readonly [x: number, y: number, dx: number, dy: number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
]

export function passesOf(png: Png): Pass[] {
  const bits = samplesOf(png) * png.depth
  const starts = png.interlaced ? adam7 : ([[0, 0, 1, 1]] as const)
  return starts
    .map(([x, y, dx, dy]) => {
      const width = Math.ceil((png.width - x) / dx)
      return {
        x,
        y,
        dx,
        dy,
        width,
        height: Math.ceil((png.height - y) / dy),
        stride: Math.ceil((width * bits) / 8),
      }
    })
    .filter(({ width, height }) => width > 0 && height > 0)
}

/**
 * Unpacks the rows of an image and undoes their filters (PNG §9).
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the data is damaged, or is not of the size that the header says
 */
export function unpack(png: Png, passes: readonly Pass[]): Buffer {
  const size = passes.reduce((sum, { stride, height }) => sum + (stride + 1) * height, 0)
  let rows: Buffer
  try {
    // One buffer of the right size: Node would else collect pieces and copy them. More than expected is an error.
    rows = inflateSync(Buffer.concat(png.data), { chunkSize: Math.max(64, size + 1), maxOutputLength: size })
  } catch {
    throw damaged()
  }
  if (rows.length !== size) throw damaged()
  const step = Math.max(1, (samplesOf(png) * png.depth) >> 3)
  let offset = 0
  for (const { stride, height } of passes) {
    for (let row = 0; row < height; row += 1) {
      unfilter(rows, offset, stride, step, row === 0)
      offset += stride + 1
    }
  }
  return rows
}

/** Undoes the filter of the row that begins at an offset, in place. The row above is undone already. */
function unfilter(rows: Buffer, offset: number, stride: number, step: number, isFirst: boolean): void {
  const filter = rows[offset] ?? 0
  if (filter === 0) return
  if (filter > 4) throw damaged()
  const start = offset + 1
  const above = start - stride - 1
  for (let index = 0; index < stride; index += 1) {
    const left = index < step ? 0 : (rows[start + index - step] ?? 0)
    const up = isFirst ? 0 : (rows[above + index] ?? 0)
    let predicted: number
    if (filter === 1) predicted = left
    else if (filter === 2) predicted = up
    else if (filter === 3) predicted = (left + up) >> 1
    else predicted = paeth(left, up, isFirst || index < step ? 0 : (rows[above + index - step] ?? 0))
    rows[start + index] = (rows[start + index] ?? 0) + predicted
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

const damaged = (): Error => invalidImport('the PNG image is damaged')
