import { deflateSync } from 'node:zlib'

/** What the header of a PNG says, and which chunks it has; see PNG §11.2. */
export interface PngShape {
  readonly width: number
  readonly height: number
  readonly depth?: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly color?: number
  readonly interlaced?: boolean
  readonly palette?: readonly number[]
  readonly transparency?: readonly number[]
  /** The filter of each row, 0 to 4; by default each in turn. */
  readonly filter?: (row: number) => number
}

const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/** Writes any kind of PNG, where pngjs writes three, from a function that returns the samples of a pixel. */
export function writePng(shape: PngShape, pixel: (x: number, y: number) => readonly number[]): Buffer {
  const { palette, transparency } = shape
  return Buffer.concat([
    signature,
    header(shape),
    ...(palette ? [chunk('PLTE', Buffer.from(palette))] : []),
    ...(transparency ? [chunk('tRNS', Buffer.from(transparency))] : []),
    chunk('IDAT', deflateSync(rowsOf(shape, pixel))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

export function header({ width, height, depth = 8, color = 0, interlaced = false }: PngShape): Buffer {
  const content = Buffer.alloc(13)
  content.writeUInt32BE(width, 0)
  content.writeUInt32BE(height, 4)
  content.set([depth, color, 0, 0, interlaced ? 1 : 0], 8)
  return chunk('IHDR', content)
}

export function chunk(type: string, content: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  check.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, check])
}

/** Puts chunks behind the header. */
export function withChunks(png: Uint8Array, ...chunks: readonly Uint8Array[]): Buffer {
  const afterHeader = signature.length + 25
  return Buffer.concat([png.subarray(0, afterHeader), ...chunks, png.subarray(afterHeader)])
}

function rowsOf(
  { width, height, depth = 8, color = 0, interlaced = false, filter = (row) => row % 5 }: PngShape,
  pixel: (x: number, y: number) => readonly number[],
): Buffer {
  const count = samples[color] ?? 1
  const step = Math.max(1, (count * depth) >> 3)
  const rows: Buffer[] = []
  for (const [x, y, dx, dy] of interlaced ? adam7 : ([[0, 0, 1, 1]] as const)) {
    const [across, down] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)]
    if (across <= 0 || down <= 0) continue
    let above = Buffer.alloc(Math.ceil((across * count * depth) / 8))
    for (let row = 0; row < down; row += 1) {
      const bytes = Buffer.alloc(above.length)
      for (let column = 0; column < across; column += 1) {
        for (const [index, value] of pixel(x + column * dx, y + row * dy).entries())
          put(bytes, column * count + index, depth, value)
      }
      rows.push(filtered(bytes, above, step, filter(row)))
      above = bytes
    }
  }
  return Buffer.concat(rows)
}

function put(bytes: Buffer, index: number, depth: number, value: number): void {
  if (depth === 16) bytes.writeUInt16BE(value, 2 * index)
  else if (depth === 8) bytes[index] = value
  else {
    const bit = index * depth
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (value << (8 - depth - (bit & 7)))
  }
}

/** PNG §9.2. */
function filtered(bytes: Buffer, above: Buffer, step: number, filter: number): Buffer {
  const out = Buffer.alloc(bytes.length + 1)
  out[0] = filter
  for (let index = 0; index < bytes.length; index += 1) {
    const [left, up] = [bytes[index - step] ?? 0, above[index] ?? 0]
    const corner = index < step ? 0 : (above[index - step] ?? 0)
    const predictions = [0, left, up, (left + up) >> 1, paeth(left, up, corner)]
    out[index + 1] = (bytes[index] ?? 0) - (predictions[filter] ?? 0)
  }
  return out
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const distance = (value: number): number => Math.abs(guess - value)
  if (distance(left) <= distance(up) && distance(left) <= distance(corner)) return left
  return distance(up) <= distance(corner) ? up : corner
}

function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}
