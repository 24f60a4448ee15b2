import { PNG } from 'pngjs'
import QRCode from 'qrcode-terminal/vendor/QRCode/index.js'
import levels from 'qrcode-terminal/vendor/QRCode/QRErrorCorrectLevel.js'
import type { Env } from '../../programs/environment.js'
import type { Output } from './output.js'

/**
 * Light modules around the symbol. ISO/IEC 18004 requires four; scanners accept two, and with two a key URI of 127
 * characters fits a terminal of 45 × 24 cells.
 */
const terminalMargin = 2
const imageMargin = 4
const pixelsPerModule = 8

// From the fixed part of the 256-colour palette, since themes change the first sixteen colours.
const black = '38;5;16'
const white = '48;5;231'
const reset = '\x1b[0m'

/** How a terminal draws. */
export interface QrLook {
  /** Whether colours may be set. Without them the code is drawn in the terminal's own two. */
  readonly colors: boolean
  /** Whether there are half blocks. */
  readonly unicode: boolean
  /** Whether text is dark on a light ground, which matters only without colours. */
  readonly light: boolean
}

const usualLook: QrLook = { colors: true, unicode: true, light: false }

/** Shows a key URI as a QR code on a terminal. Where that is not possible it warns and draws nothing. */
export function showQr(output: Output, env: Env, uri: string): void {
  const { width, showsPictures, forPerson, unicode } = output
  if (width === undefined || !showsPictures) {
    output.warn('a QR code needs a terminal; use `a2a-totp show NAME --qr-file FILE.png` instead')
    return
  }
  const look = { colors: forPerson, unicode, light: isLight(env) }
  const needed = qrWidth(uri, look)
  if (needed > width) {
    const instead = unicode ? 'widen it, or use' : 'use'
    output.warn(
      `this QR code needs ${needed} columns, the terminal has ${width}; ${instead} \`a2a-totp show NAME --qr-file FILE.png\``,
    )
    return
  }
  output.write(drawQr(uri, look))
}

/** Whether the terminal says that its ground is light, as some do: `$COLORFGBG` is `0;15`. */
function isLight({ COLORFGBG: colors = '' }: Env): boolean {
  const ground = /;(\d+)$/.exec(colors)?.[1]
  return ground === '7' || ground === '15'
}

/** The cells that a QR code is wide. */
export const qrWidth = (text: string, { unicode }: QrLook): number =>
  withMargin(text, terminalMargin).size * (unicode ? 1 : 2)

/**
 * Draws a text as a QR code: with half blocks, two modules a cell, else two cells a module. Without colours the light
 * modules are inked on a dark terminal, with the margin around them; a scanner sees the same picture as in colours.
 */
export function drawQr(text: string, look: QrLook = usualLook): string {
  return look.unicode ? drawBlocks(text, look) : drawAscii(text, look)
}

function drawBlocks(text: string, { colors, light }: QrLook): string {
  const { size, isDark } = withMargin(text, terminalMargin)
  const inked = (row: number, column: number): boolean => isDark(row, column) === (colors || light)
  const lines: string[] = []
  for (let row = 0; row < size; row += 2) {
    let line = ''
    for (let column = 0; column < size; column++) {
      const [upper, lower] = [inked(row, column), inked(row + 1, column)]
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(colors ? `\x1b[${black};${white}m${line}${reset}\n` : `${line}\n`)
  }
  return lines.join('')
}

function drawAscii(text: string, { colors, light }: QrLook): string {
  const { size, isDark } = withMargin(text, terminalMargin)
  const cell = (dark: boolean): string => {
    if (colors) return `\x1b[${dark ? '48;5;16' : white}m  `
    return dark === light ? '##' : '  '
  }
  const lines: string[] = []
  for (let row = 0; row < size; row++) {
    let line = ''
    for (let column = 0; column < size; column++) line += cell(isDark(row, column))
    lines.push(`${line}${colors ? reset : ''}\n`)
  }
  return lines.join('')
}

/** The image formats of `--qr-file`, by file extension. */
export const qrImages: Readonly<Record<string, (text: string) => string | Uint8Array>> = {
  '.png': qrPng,
  '.svg': qrSvg,
}

function qrSvg(text: string): string {
  const { size, isDark } = withMargin(text, imageMargin)
  let path = ''
  forEachDark(size, isDark, (row, column) => (path += `M${column} ${row}h1v1h-1z`))
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${path}"/></svg>\n`
  )
}

function qrPng(text: string): Uint8Array {
  const { size, isDark } = withMargin(text, imageMargin)
  const width = size * pixelsPerModule
  const image = new PNG({ width, height: width, colorType: 0 })
  image.data.fill(0xff)
  forEachDark(size, isDark, (row, column) => {
    for (let y = row * pixelsPerModule; y < (row + 1) * pixelsPerModule; y++) {
      for (let x = column * pixelsPerModule; x < (column + 1) * pixelsPerModule; x++) {
        image.data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
      }
    }
  })
  return PNG.sync.write(image, { colorType: 0 })
}

interface Modules {
  readonly size: number
  readonly isDark: (row: number, column: number) => boolean
}

function withMargin(text: string, margin: number): Modules {
  const code = new QRCode(-1, levels.L)
  code.addData(text)
  code.make()
  const inner = code.getModuleCount()
  const inside = (position: number): boolean => position >= margin && position < margin + inner
  return {
    size: inner + 2 * margin,
    isDark: (row, column) => inside(row) && inside(column) && code.isDark(row - margin, column - margin),
  }
}

function forEachDark(
  size: number,
  isDark: Modules['isDark'],
  visit: (row: number, column: number) => void,
): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) if (isDark(row, column)) visit(row, column)
  }
}
