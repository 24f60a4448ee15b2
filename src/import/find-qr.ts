import jsQRModule from 'jsqr'
import { enlarge, greyImagesOf, shrink, type GreyImage } from './grey-image.js'
import { parsePng } from './png.js'

// jsqr is CommonJS, but its types describe an ES module.
const jsQR = jsQRModule as unknown as typeof jsQRModule.default

/** Longest sides at which a code is looked for. The work grows with the fourth power of the side where there is noise. */
const sides = [1000, 2000, Infinity]
/** Below this a code may have one pixel for each module, which the reader does not see, and no margin. */
const smallSide = 400

/**
 * Returns the text of the QR code in a PNG image, or undefined. Can take minutes and cannot be interrupted: call it in a
 * thread that can be ended.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the image is damaged or too large
 */
export function findQr(bytes: Uint8Array): string | undefined {
  const images = greyImagesOf(parsePng(bytes))
  for (const view of images.flatMap(enlargedViews)) {
    const text = textIn(view)
    if (text) return text
  }
  for (const factor of new Set(sides.map((side) => factorFor(images[0], side)))) {
    for (const image of images) {
      const text = textIn(factor === 1 ? image : shrink(image, factor))
      if (text) return text
    }
  }
  return undefined
}

const longestSide = (image: GreyImage | undefined): number => Math.max(image?.width ?? 0, image?.height ?? 0)

const factorFor = (image: GreyImage | undefined, side: number): number =>
  Math.max(1, Math.ceil(longestSide(image) / side))

/** A small image at several times its size: as it is, and with the margin of a dark or a light code. */
function enlargedViews(image: GreyImage): GreyImage[] {
  const side = longestSide(image)
  if (side > smallSide) return []
  const n = Math.max(1, Math.min(4, Math.floor(800 / side)))
  return [enlarge(image, n, 4 * n, 255), enlarge(image, n, 4 * n, 0)]
}

function textIn({ width, height, pixels }: GreyImage): string | undefined {
  const colors = new Uint8ClampedArray(width * height * 4)
  const whole = new Uint32Array(colors.buffer)
  for (let index = 0; index < pixels.length; index += 1) whole[index] = 0x010101 * (pixels[index] ?? 0)
  return jsQR(colors, width, height)?.data
}
