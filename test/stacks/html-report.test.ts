import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formats, type ProbeReport } from '../../src/probe/index.js'
import { Browser, chromium } from '../support/browser.js'
import { faintTexts } from '../support/contrast.js'
import { hostile } from '../support/hostile-text.js'
import { probeAgent } from '../support/probing.js'

/** Pictures to look at are kept here. */
const pictures = process.env['PICTURES'] ?? mkdtempSync(join(tmpdir(), 'a2a-totp-pictures-'))

const html = (report: ProbeReport): string => formats.html(report, {})

const twelveCells = (report: ProbeReport): ProbeReport => ({
  ...report,
  narrowed: ['--skip challenge,status'],
  checks: report.checks.flatMap((check) =>
    check.url === null ? [check] : [check, { ...check, url: `${check.url}/${'long'.repeat(40)}` }],
  ),
})

/** Every text of the agent hostile, or without a place to break a line. */
const shouted = (report: ProbeReport, text: string): ProbeReport => ({
  ...report,
  agent: text,
  diagnosis: text,
  checks: report.checks
    .slice(0, 20)
    .map((check) => ({ ...check, status: 'fail', actual: text, detail: text })),
})

const pages: Readonly<Record<string, () => Promise<ProbeReport>>> = {
  right: async () => (await probeAgent({})).report,
  open: async () => (await probeAgent({ waves: () => true }, { grpc: true })).report,
  half: async () => (await probeAgent({ waves: ({ binding }) => binding === 'rest' }, { grpc: true })).report,
  narrowed: async () => twelveCells((await probeAgent({ peersOf: () => [] }, { grpc: true })).report),
  unreached: async () => (await probeAgent({}, { url: 'http://127.0.0.1:1/' })).report,
  hostile: async () => shouted((await probeAgent({})).report, hostile),
  endless: async () => shouted((await probeAgent({})).report, 'x'.repeat(2000)),
}

/** Whether the verdict is seen without scrolling, above all but what narrows the run. */
const isVerdictOnTop = `(() => {
  const top = (selector) => document.querySelector(selector)?.getBoundingClientRect().top ?? Infinity
  return top('h1') < Math.min(innerHeight, top('.diagnosis'), top('.facts'))
})()`

/** Whether the table of the cells fits where it stands. */
const isTableWhole = `(() => {
  const { scrollWidth, clientWidth } = document.querySelector('.scroll')
  return scrollWidth <= clientWidth
})()`

describe.skipIf(chromium === undefined)('the HTML report in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await Browser.start()
    mkdirSync(pictures, { recursive: true })
  })
  afterAll(() => browser.close())

  it.each(Object.entries(pages))('fits a window and a phone, in light and dark: %s', async (name, make) => {
    const file = join(pictures, `${name}.html`)
    writeFileSync(file, html(await make()))
    for (const width of [400, 1400]) {
      for (const scheme of ['light', 'dark'] as const) {
        await browser.show(width, scheme)
        await browser.open(pathToFileURL(file).href)
        writeFileSync(join(pictures, `${name}-${width}-${scheme}.png`), await browser.screenshot())
        expect(await browser.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
          width,
        )
        const scripts = await browser.evaluate<number>(
          'document.querySelectorAll("script, a, img, iframe").length',
        )
        expect(scripts).toBe(0)
        expect(await browser.evaluate<string[]>(faintTexts)).toEqual([])
        expect(await browser.evaluate<boolean>(isVerdictOnTop)).toBe(true)
        const colours = await browser.evaluate<string>('getComputedStyle(document.body).backgroundColor')
        expect(colours).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 26)')
      }
    }
    const pdf = await browser.pdf()
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    writeFileSync(join(pictures, `${name}.pdf`), pdf)
    expect(browser.complaints).toEqual([])
  })
  it('prints the remedies that are folded on the screen, and the whole table of many cells', async () => {
    const file = join(pictures, 'printed.html')
    writeFileSync(file, html(twelveCells((await probeAgent({ waves: () => true }, { grpc: true })).report)))
    await browser.show(1400, 'light')
    await browser.open(pathToFileURL(file).href)
    const shown = `[...document.querySelectorAll('h4')].filter((one) => one.checkVisibility()).length`
    const onScreen = await browser.evaluate<number>(shown)
    expect(await browser.evaluate<boolean>(isTableWhole)).toBe(true)
    // As wide as a sheet of A4 between its margins.
    await browser.show(720, 'light', 'print')
    expect(await browser.evaluate<number>(shown)).toBeGreaterThan(onScreen + 10)
    expect(await browser.evaluate<boolean>(isTableWhole)).toBe(true)
    writeFileSync(join(pictures, 'printed.png'), await browser.screenshot())
    writeFileSync(join(pictures, 'printed.pdf'), await browser.pdf())
  })
})
