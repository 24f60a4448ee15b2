import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { qrImages } from '../../src/cli/io/qr.js'
import { Seed } from '../../src/core/seed.js'
import { findQr } from '../../src/import/find-qr.js'
import { makeStore, parseJson, runBinary, runCli, startBinary } from '../support/cli.js'
import { chunk, header, withChunks, writePng, type PngShape } from '../support/png-writer.js'

const seed = Seed.fromBytes(createHash('sha256').update('qr').digest().subarray(0, 20)).base32
const uri = `otpauth://totp/billing:alice?secret=${seed}&issuer=billing`

/** The QR code of {@link uri} with its margin, at some pixels for each module. */
const { width: drawn, data } = PNG.sync.read(Buffer.from(qrImages['.png']?.(uri) ?? ''))
const side = drawn / 8
const isDark = (x: number, y: number, scale: number): boolean => {
  const [column, row] = [Math.floor(x / scale), Math.floor(y / scale)]
  return column < side && row < side && data[(row * 8 * drawn + column * 8) * 4] === 0
}

const square = (scale: number): { width: number; height: number } => ({
  width: side * scale,
  height: side * scale,
})

describe('a QR code in a PNG', () => {
  const kinds: [string, PngShape, dark: number[], light: number[]][] = [
    ...[1, 2, 4, 8, 16].map((depth): [string, PngShape, number[], number[]] => [
      `grey of ${depth} bits`,
      { ...square(4), color: 0, depth },
      [0],
      [2 ** depth - 1],
    ]),
    ['RGB', { ...square(4), color: 2 }, [0, 0, 90], [255, 255, 240]],
    ['RGB of 16 bits', { ...square(4), color: 2, depth: 16 }, [0, 0, 0], [65535, 65535, 65535]],
    ...[1, 2, 4, 8].map((depth): [string, PngShape, number[], number[]] => [
      `a palette of ${depth} bits`,
      { ...square(4), color: 3, depth, palette: [255, 255, 255, 20, 20, 20] },
      [1],
      [0],
    ]),
    ['grey with alpha, dark on transparent black', { ...square(4), color: 4 }, [0, 255], [0, 0]],
    ['RGBA, dark on transparent black', { ...square(4), color: 6 }, [0, 0, 0, 255], [0, 0, 0, 0]],
    ['RGBA, dark on transparent white', { ...square(4), color: 6 }, [0, 0, 0, 255], [255, 255, 255, 0]],
    ['RGBA, light on transparent', { ...square(4), color: 6 }, [255, 255, 255, 255], [255, 255, 255, 0]],
    ['RGBA, half transparent', { ...square(4), color: 6 }, [0, 0, 0, 128], [0, 0, 0, 0]],
    ['RGBA of 16 bits', { ...square(4), color: 6, depth: 16 }, [0, 0, 0, 65535], [0, 0, 0, 0]],
    ['grey with a transparent value', { ...square(4), color: 0, transparency: [0, 7] }, [0], [7]],
    [
      'RGB with a transparent colour',
      { ...square(4), color: 2, transparency: [0, 1, 0, 2, 0, 3] },
      [0, 0, 0],
      [1, 2, 3],
    ],
    [
      'a palette with transparency',
      { ...square(4), color: 3, depth: 1, palette: [0, 0, 0, 0, 0, 0], transparency: [0] },
      [1],
      [0],
    ],
    [
      'a palette of two greys',
      { ...square(4), color: 3, depth: 1, palette: [90, 90, 90, 160, 160, 160] },
      [0],
      [1],
    ],
    ['faint grey', { ...square(4), color: 0, depth: 8 }, [225], [255]],
    ['faint transparency', { ...square(4), color: 4 }, [0, 40], [0, 0]],
    ['light on dark', { ...square(4), color: 0 }, [255], [0]],
    ['one pixel for each module', { ...square(1), color: 0 }, [0], [255]],
    ['one transparent pixel for each module', { ...square(1), color: 4 }, [0, 255], [0, 0]],
  ]

  it.each(
    kinds.flatMap(([what, shape, dark, light]) =>
      [false, true].map(
        (interlaced) =>
          [what, interlaced ? ', interlaced' : '', { ...shape, interlaced }, dark, light] as const,
      ),
    ),
  )('is read from %s%s', (_what, _interlaced, shape, dark, light) => {
    const scale = shape.width / side
    expect(findQr(writePng(shape, (x, y) => (isDark(x, y, scale) ? dark : light)))).toBe(uri)
  })

  it('is read without a margin, transparent', () => {
    const shape = { width: (side - 8) * 6, height: (side - 8) * 6, color: 6 }
    expect(
      findQr(writePng(shape, (x, y) => (isDark(x + 24, y + 24, 6) ? [0, 0, 0, 255] : [0, 0, 0, 0]))),
    ).toBe(uri)
  })

  it('is imported from it by the command', async () => {
    const cwd = await makeStore()
    writeFileSync(
      join(cwd, 'code.png'),
      writePng({ ...square(4), color: 6 }, (x, y) => (isDark(x, y, 4) ? [0, 0, 0, 255] : [0, 0, 0, 0])),
    )
    expect(await runCli(['import', 'code.png'], { cwd })).toMatchObject({
      exitCode: 0,
      stdout: 'imported 1, skipped 0\n',
    })
    const { peers } = parseJson(await runCli(['export', '--reveal'], { cwd })) as { peers: object[] }
    expect(peers).toMatchObject([{ name: 'alice', seed }])
  })
})

/** Noise that is the same every time (xorshift). */
function noise(): () => number {
  let state = 0x2545f491
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 255
  }
}

const photo = { width: 4032, height: 3024 }
let written: Buffer | undefined
/** A photo of 12 megapixels that is nothing but noise. It takes a second to write. */
function noisyPhoto(): Buffer {
  const next = noise()
  return (written ??= writePng({ ...photo, color: 0, filter: () => 0 }, () => [next()]))
}

/** An image whose rows are all zero, of any size. */
function zeros(shape: PngShape, bytes: number): Buffer {
  return Buffer.concat([
    Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    header(shape),
    chunk('IDAT', deflateSync(Buffer.alloc(bytes), { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const valid = writePng({ ...square(4), color: 0 }, (x, y) => (isDark(x, y, 4) ? [0] : [255]))
const huge = header({ width: 30_000, height: 30_000, depth: 16, color: 6 })

describe('an image that costs too much', () => {
  it.each([
    ['a second header', withChunks(valid, huge), 'the PNG image is damaged'],
    [
      'a second header of the same size',
      withChunks(valid, header({ ...square(4), color: 0 })),
      'the PNG image is damaged',
    ],
    [
      'another chunk in front of the header',
      Buffer.concat([valid.subarray(0, 8), chunk('tEXt', Buffer.from('x')), valid.subarray(8)]),
      'damaged',
    ],
    [
      'too many pixels',
      zeros({ width: 30_000, height: 30_000, depth: 1, color: 0 }, 1000),
      '30000 x 30000 pixels, more than 16 million; crop it',
    ],
    [
      'too many pixels, interlaced',
      zeros({ width: 8000, height: 8000, color: 6, interlaced: true }, 1000),
      '8000 x 8000 pixels',
    ],
    ['a side of 0', zeros({ width: 0, height: 5 }, 10), 'damaged'],
    [
      'a depth that its colours cannot have',
      zeros({ width: 5, height: 5, depth: 4, color: 2 }, 60),
      'damaged',
    ],
    ['more data than its header says', zeros({ width: 5, height: 5 }, 50_000_000), 'damaged'],
    ['less data than its header says', zeros({ width: 5, height: 5 }, 29), 'damaged'],
    [
      'a filter that does not exist',
      writePng({ width: 5, height: 5, filter: () => 7 }, () => [0]),
      'damaged',
    ],
    ['no data', Buffer.concat([valid.subarray(0, 33), chunk('IEND', Buffer.alloc(0))]), 'damaged'],
    ['no end', valid.subarray(0, -12), 'damaged'],
    ['a chunk beyond its end', valid.subarray(0, 60), 'damaged'],
    [
      'no QR code',
      writePng({ width: 50, height: 50 }, () => [255]),
      'no QR code found in this image; crop it',
    ],
  ])('is refused for %s', async (_what, content, words) => {
    const cwd = await makeStore()
    writeFileSync(join(cwd, 'image.png'), content)
    const run = await runCli(['import', 'image.png'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(run.stderr).toContain('(ERR_IMPORT_INVALID)')
  })

  it('is refused for its length, read or piped', async () => {
    const cwd = await makeStore()
    const run = await runBinary(['import', '/dev/zero'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('the file to import is longer than 64 MiB')
  })

  it('does not take more than 450 MB of memory, whatever its kind', async () => {
    const cwd = await makeStore()
    const { width, height } = { width: 4096, height: 4096 }
    writeFileSync(
      join(cwd, 'flat.png'),
      zeros({ width, height, depth: 16, color: 6 }, (width * 8 + 1) * height),
    )
    // The rows of seven passes, each with the byte of its filter.
    const rows = [512, 512, 512, 1024, 1024, 2048, 2048].reduce((sum, one) => sum + one, 0)
    writeFileSync(
      join(cwd, 'interlaced.png'),
      zeros({ width, height, depth: 16, color: 6, interlaced: true }, width * height * 8 + rows),
    )
    const measured = join(cwd, 'measured')
    const measure = join(cwd, 'measure.cjs')
    writeFileSync(
      measure,
      `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(measured)}, String(process.resourceUsage().maxRSS / 1024)))`,
    )
    for (const name of ['flat.png', 'interlaced.png']) {
      const run = await runBinary(['import', name], { cwd, env: { NODE_OPTIONS: `--require ${measure}` } })
      expect(run.stderr).toContain('no QR code found in this image')
      expect(Number(readFileSync(measured, 'utf8'))).toBeLessThan(450)
    }
  })
})

describe('a noisy photo of 12 megapixels', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is given up at once on %s', async (signal, exitCode) => {
    const cwd = await makeStore()
    const before = readFileSync(join(cwd, 'a2a-totp.json'))
    writeFileSync(join(cwd, 'photo.png'), noisyPhoto())
    // Nothing else of the command tells when the thread begins.
    const begun = join(cwd, 'begun.cjs')
    writeFileSync(
      begun,
      `const threads = require('node:worker_threads')
      threads.Worker = class extends threads.Worker {
        constructor(...given) {
          super(...given)
          this.once('online', () => require('node:fs').writeSync(2, 'begun'))
        }
      }`,
    )
    const child = startBinary(['import', 'photo.png'], { cwd, env: { NODE_OPTIONS: `--require ${begun}` } })
    const [said] = (await once(child.stderr ?? child, 'data')) as [Buffer]
    expect(said.toString()).toBe('begun')
    const at = performance.now()
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([exitCode, null])
    // It would take ten seconds.
    expect(performance.now() - at).toBeLessThan(5000)
    expect(readFileSync(join(cwd, 'a2a-totp.json'))).toEqual(before)
  })

  it('is refused after a while, with what to do', async () => {
    const cwd = await makeStore()
    writeFileSync(join(cwd, 'photo.png'), noisyPhoto())
    const run = await runBinary(['import', 'photo.png'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(
      /^error: no QR code found in this image( in 10 s)?; crop it to the code and its white border \(ERR_IMPORT_INVALID\)\n$/,
    )
  })

  it('is read if there is a QR code in it', () => {
    const next = noise()
    const scale = 20
    const image = writePng({ ...photo, color: 0, filter: () => 0 }, (x, y) => {
      const [column, row] = [x - 900, y - 700]
      const isCode = column >= 0 && row >= 0 && column < side * scale && row < side * scale
      const grain = next()
      if (!isCode) return [grain]
      return [(isDark(column, row, scale) ? 20 : 160) + (grain >> 2)]
    })
    expect(findQr(image)).toBe(uri)
  })
})
