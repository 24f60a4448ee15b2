import { PNG } from 'pngjs'
import QRCode from 'qrcode-terminal/vendor/QRCode/index.js'
import levels from 'qrcode-terminal/vendor/QRCode/QRErrorCorrectLevel.js'
import type { Output } from './output.js'

/**
 * Light modules around the symbol. ISO/IEC 18004 requires four; scanners accept two, and with two a key URI of 127
 * characters fits a terminal of 45 × 24 cells.
 */
const terminalMargin = 2
const imageMargin = 4
const pixelsPerModule = 8

// From the fixed part of the 256-colour palette, since themes change the first sixteen colours. A code drawn without
// colours is inverted on one kind of terminal, where scanners fail.
const blackOnWhite = '\x1b[38;5;16;48;5;231m'
const reset = '\x1b[0m'

/** Shows a key URI as a QR code on a terminal. Elsewhere it warns and draws nothing. */
export function showQr(output: Output, uri: string): void {
  if (output.forPerson) output.write(drawQr(uri, output.columns))
  else output.warn('a QR code needs a terminal; use `a2a-totp show NAME --qr-file FILE.png` instead')
}

/** Draws a text as a QR code with half blocks: two modules a cell, both colours set. */
export function drawQr(text: string, columns: number): string {
  const { size, isDark } = withMargin(text, terminalMargin)
  if (size > columns)
    return `this QR code needs ${size} columns, the terminal has ${columns}; widen it, or use --qr-file\n`
  const lines: string[] = []
  for (let row = 0; row < size; row += 2) {
    let line = ''
    for (let column = 0; column < size; column++) {
      const [upper, lower] = [isDark(row, column), isDark(row + 1, column)]
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(`${blackOnWhite}${line}${reset}\n`)
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
