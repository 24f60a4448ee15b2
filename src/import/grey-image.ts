import { passesOf, samplesOf, unpack, type Png } from './png.js'

/** An image with one byte for each pixel: 0 is black, 255 white. */
export interface GreyImage {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** Unpacks an image, and shows it on white. If parts of it are transparent, also on black: the code may be light. */
export function greyImagesOf(png: Png): GreyImage[] {
  const { width, height } = png
  const [passes, sampleOf] = [passesOf(png), sampler(png)]
  const rows = unpack(png, passes)
  const pixels = new Uint8Array(width * height)
  let opacities: Uint8Array | undefined
  let offset = 0
  for (const { x, y, dx, dy, width: across, height: down, stride } of passes) {
    for (let row = 0; row < down; row += 1) {
      const to = (y + row * dy) * width + x
      for (let column = 0; column < across; column += 1) {
        const sample = sampleOf(rows, offset + 1, column)
        const [light, opacity] = [sample >> 8, sample & 0xff]
        const target = to + column * dx
        pixels[target] = light
        if (opacity === 255) continue
        opacities ??= new Uint8Array(width * height).fill(255)
        opacities[target] = opacity
      }
      offset += stride + 1
    }
  }
  if (opacities === undefined) return [withFullContrast({ width, height, pixels })]
  const on = (background: number, shown: Uint8Array, alpha: Uint8Array): GreyImage => ({
    width,
    height,
    pixels: shown.map((light, index) => {
      const opacity = alpha[index] ?? 255
      return (light * opacity + background * (255 - opacity)) / 255
    }),
  })
  return [on(255, pixels, opacities), on(0, pixels, opacities)].map(withFullContrast)
}

/** The reader takes a dark grey on a light one for the noise of a white surface. */
function withFullContrast(image: GreyImage): GreyImage {
  let [darkest, lightest] = [255, 0]
  for (const light of image.pixels) {
    if (light < darkest) darkest = light
    if (light > lightest) lightest = light
  }
  const range = lightest - darkest
  if (range === 0 || range === 255) return image
  return { ...image, pixels: image.pixels.map((light) => ((light - darkest) * 255) / range) }
}

/** Returns the brightness of a pixel in the upper byte and its opacity in the lower one: no object for each pixel. */
type Sample = (rows: Uint8Array, start: number, column: number) => number

function sampler(png: Png): Sample {
  const { color, depth, palette, transparency: given } = png
  const samples = samplesOf(png)
  const most = 2 ** depth - 1
  const raw = (rows: Uint8Array, start: number, index: number): number => {
    if (depth === 8) return rows[start + index] ?? 0
    if (depth === 16) return ((rows[start + 2 * index] ?? 0) << 8) | (rows[start + 2 * index + 1] ?? 0)
    const bit = index * depth
    return ((rows[start + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & most
  }
  const byte =
    depth === 16 ? (value: number) => value >> 8 : (value: number) => Math.round((value * 255) / most)
  if (color === 3) {
    const entries = Uint16Array.from({ length: 256 }, (_, index) => {
      const [red = 0, green = 0, blue = 0] = palette.subarray(3 * index, 3 * index + 3)
      return (brightness(red, green, blue) << 8) | (given[index] ?? 255)
    })
    return (rows, start, column) => entries[raw(rows, start, column)] ?? 0
  }
  const clear = Array.from(
    { length: given.length >> 1 },
    (_, index) => ((given[2 * index] ?? 0) << 8) | (given[2 * index + 1] ?? 0),
  )
  const hasAlpha = color === 4 || color === 6
  return (rows, start, column) => {
    const first = column * samples
    const one = raw(rows, start, first)
    if (samples < 3) {
      const opacity = hasAlpha ? byte(raw(rows, start, first + 1)) : one === clear[0] ? 0 : 255
      return (byte(one) << 8) | opacity
    }
    const [two, three] = [raw(rows, start, first + 1), raw(rows, start, first + 2)]
    const isClear = one === clear[0] && two === clear[1] && three === clear[2]
    const opacity = hasAlpha ? byte(raw(rows, start, first + 3)) : isClear ? 0 : 255
    return (brightness(byte(one), byte(two), byte(three)) << 8) | opacity
  }
}

/** As ITU-R BT.709 weighs the colours, which is what the reader of codes expects. */
const brightness = (red: number, green: number, blue: number): number =>
  Math.round(0.2126 * red + 0.7152 * green + 0.0722 * blue)

/** Returns the image at one n-th of its size, each pixel the mean of what it covers: noise is averaged away. */
export function shrink({ width, height, pixels }: GreyImage, n: number): GreyImage {
  const [across, down] = [Math.floor(width / n), Math.floor(height / n)]
  const small = new Uint8Array(across * down)
  for (let y = 0; y < down; y += 1) {
    for (let x = 0; x < across; x += 1) {
      let sum = 0
      for (let row = 0; row < n; row += 1) {
        const start = (y * n + row) * width + x * n
        for (let column = 0; column < n; column += 1) sum += pixels[start + column] ?? 0
      }
      small[y * across + x] = sum / (n * n)
    }
  }
  return { width: across, height: down, pixels: small }
}

/** Returns the image n times as large, with a margin. */
export function enlarge(
  { width, height, pixels }: GreyImage,
  n: number,
  margin: number,
  light: number,
): GreyImage {
  const [across, down] = [width * n + 2 * margin, height * n + 2 * margin]
  const large = new Uint8Array(across * down).fill(light)
  for (let y = 0; y < height * n; y += 1) {
    for (let x = 0; x < width * n; x += 1) {
      large[(y + margin) * across + x + margin] = pixels[Math.floor(y / n) * width + Math.floor(x / n)] ?? 0
    }
  }
  return { width: across, height: down, pixels: large }
}
