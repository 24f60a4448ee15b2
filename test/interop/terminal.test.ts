import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import jsQRModule from 'jsqr'
import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { drawQr } from '../../src/cli/io/qr.js'
import { binary, makeFolder, makeStore, runCli } from '../support/cli.js'
import { openTerminal, until } from '../support/terminal.js'

// jsqr is CommonJS whose types describe an ES module.
const jsQR = jsQRModule as unknown as typeof jsQRModule.default

interface Picture {
  readonly data: Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** Draws half blocks as a picture, eight pixels a module. Colours as they are set, else the terminal's. */
function draw(screen: string, darkTerminal: boolean, columns = 0): Picture {
  const lines = screen.split('\n').map((line) => pixelsOf(line, darkTerminal))
  const width = Math.max(columns, ...lines.map((line) => line.length))
  const scale = 8
  const height = lines.length * 2
  const data = new Uint8ClampedArray(width * scale * height * scale * 4).fill(darkTerminal ? 0 : 255)
  lines.forEach((line, row) =>
    line.forEach((halves, column) =>
      halves.forEach((light, half) => {
        for (let y = 0; y < scale; y++) {
          for (let x = 0; x < scale; x++) {
            data.fill(
              light ? 255 : 0,
              at(column * scale + x, (row * 2 + half) * scale + y),
              at(column * scale + x, (row * 2 + half) * scale + y) + 3,
            )
          }
        }
      }),
    ),
  )
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255
  return { data, width: width * scale, height: height * scale }

  function at(x: number, y: number): number {
    return (y * width * scale + x) * 4
  }
}

/** What zbarimg reads in a picture. */
function zbar({ data, width, height }: Picture, folder: string): string {
  const file = join(folder, 'screen.png')
  const image = new PNG({ width, height })
  image.data = Buffer.from(data)
  writeFileSync(file, PNG.sync.write(image))
  return execFileSync('zbarimg', ['-q', '--raw', file]).toString().trim()
}

/** Each cell as [upper half is light, lower half is light]. */
function pixelsOf(line: string, darkTerminal: boolean): [boolean, boolean][] {
  const cells: [boolean, boolean][] = []
  let [ink, paper] = [darkTerminal, !darkTerminal]
  // eslint-disable-next-line no-control-regex
  for (const [, escape, character] of line.matchAll(/\x1b\[([\d;]*)m|(.)/gu)) {
    if (escape !== undefined) {
      if (escape.includes('38;5;16')) ink = false
      if (escape.includes('48;5;231')) paper = true
      if (escape === '' || escape === '0' || escape.includes('39'))
        [ink, paper] = [darkTerminal, !darkTerminal]
      continue
    }
    const [upper, lower] = [character === '▀' || character === '█', character === '▄' || character === '█']
    cells.push([upper ? ink : paper, lower ? ink : paper])
  }
  return cells
}

describe('at a real terminal', () => {
  it('a QR code scans on a dark and on a light one', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const uri = (await runCli(['show', 'alice', '--uri'], { cwd })).stdout.trim()
    const { type, screen } = openTerminal(cwd, 80, 40)
    type(`clear; ${process.execPath} ${binary} show alice --qr`)
    await until(() => (screen().match(/[▀▄█]/g) ?? []).length > 200)
    await delay(300)
    for (const dark of [true, false]) {
      const picture = draw(screen(true), dark)
      expect(jsQR(picture.data, picture.width, picture.height)?.data, dark ? 'dark' : 'light').toBe(uri)
    }
  })

  it('a QR code is one that zbarimg reads as well', () => {
    const uri = `otpauth://totp/billing:alice?issuer=billing&secret=${'A2'.repeat(16)}&digits=6&period=30`
    for (const dark of [true, false]) {
      const picture = draw(drawQr(uri) + '\n'.repeat(8), dark, 80)
      expect(zbar(picture, makeFolder()), dark ? 'dark' : 'light').toBe(uri)
    }
  })

  it('explains itself where the window is too narrow for a QR code', async () => {
    const { type, screen } = openTerminal(await makeStore(['alice']), 30, 24)
    type(`clear; ${process.execPath} ${binary} show alice --qr`)
    await until(() => screen().replace(/\s+/g, ' ').includes('widen it'))
  })

  it('a watched code counts down on one line, and Ctrl-C ends it with 130', async () => {
    const { type, screen } = openTerminal(await makeStore(['alice']), 80, 24)
    type(`clear; ${process.execPath} ${binary} code alice --watch; echo "ended with $?"`)
    await until(() => /\d{6} +━+ +\d+ s/.test(screen()))
    const first = screen()
    await until(() => screen() !== first)
    expect(screen().match(/━━/g)?.length).toBeGreaterThan(0)
    expect(
      screen()
        .split('\n')
        .filter((line) => /^\d{6} /.test(line)),
    ).toHaveLength(1)
    type('\u0003')
    await until(() => screen().includes('ended with 130'))
  })

  it('asks for a passphrase without showing it', async () => {
    const cwd = makeFolder()
    const { type, press, screen } = openTerminal(cwd, 80, 24)
    type(`clear; ${process.execPath} ${binary} init --passphrase; echo "ended with $?"`)
    await until(() => screen().includes('new passphrase:'))
    type('correct horse')
    await until(() => screen().includes('repeat the passphrase:'))
    type('correct horse')
    await until(() => screen().includes('ended with 0'))
    expect(screen()).not.toContain('horse')
    type(`clear; ${process.execPath} ${binary} list; echo "ended with $?"`)
    await until(() => screen().includes('passphrase of the store:'))
    type('correct horse')
    await until(() => screen().includes('ended with 0'))
    type(`clear; ${process.execPath} ${binary} list; echo "ended with $?"`)
    // Not the prompt of before, which stands there until the screen is cleared.
    await until(() => !screen().includes('ended with 0') && screen().includes('passphrase of the store:'))
    press('C-c')
    await until(() => screen().includes('ended with 130'))
    expect(screen()).not.toContain('horse')
  }, 240_000)

  it('shows that a passphrase takes its time, and wipes it away', async () => {
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse' }
    const cwd = makeFolder()
    expect((await runCli(['init', '--passphrase', '--agent', 'billing'], { cwd, env })).exitCode).toBe(0)
    const { type, screen, log } = openTerminal(cwd, 80, 24)
    type(
      `clear; A2A_TOTP_PASSPHRASE='correct horse' ${process.execPath} ${binary} list; echo "ended with $?"`,
    )
    await until(() => screen().includes('ended with 0'))
    expect(log()).toContain('opening the store')
    expect(screen()).not.toContain('opening the store')
    type(`clear; NO_COLOR=1 ${process.execPath} ${binary} encrypt --encrypt-to no; echo "again $?"`)
    await until(() => screen().includes('passphrase of the store:'))
    type('correct horse')
    await until(() => screen().includes('again 2'))
    expect(log().match(/opening the store/g)).toHaveLength(1)
    type(`clear; ${process.execPath} ${binary} decrypt; echo "at last $?"`)
    await until(() => !screen().includes('again 2') && screen().includes('passphrase of the store:'))
    type('correct horse')
    await until(() => screen().includes('at last 0'))
    expect(screen()).not.toContain('opening the store')
  }, 240_000)
})
