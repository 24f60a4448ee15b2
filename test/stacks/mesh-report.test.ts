import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meshFormats } from '../../src/mesh/report/index.js'
import type { MeshReport } from '../../src/mesh/prove/mesh-report.js'
import { keepReport, readReports, statusFormats, statusOf } from '../../src/mesh/status/index.js'
import { Browser, chromium } from '../support/browser.js'
import { makeFolder } from '../support/cli.js'
import { faintTexts } from '../support/contrast.js'
import { hostile } from '../support/hostile-text.js'
import { edgeOf, largeMesh, mixedMesh } from '../support/mesh-report.js'

/** Pictures to look at are kept here. */
const pictures = process.env['PICTURES'] ?? mkdtempSync(join(tmpdir(), 'a2a-totp-pictures-'))

const large = (size: number): MeshReport =>
  largeMesh(size, (peer, agent) => {
    if (agent === 6 && (peer + agent) % 3 === 0) return { admitted: false, status: 'fail', detail: 'refused' }
    if (peer === 9 && agent === 4) return { declared: false, admitted: true, status: 'fail' }
    return {}
  })

function status(): string {
  const folder = makeFolder()
  for (let day = 0; day < 60; day++) {
    const startedAt = new Date(Date.UTC(2030, 0, 1 + day)).toISOString()
    keepReport(folder, day % 9 === 5 ? { ...mixedMesh(), startedAt } : { ...largeMesh(6), startedAt })
  }
  const mesh = { path: '/srv/mesh.yaml', folder: '/srv', agents: new Map(), peers: new Map(), edges: [] }
  return statusFormats.html(
    statusOf({
      ...{ mesh, kept: readReports(folder), rosters: new Map(), withinMs: 0 },
      unread: [{ agent: 'billing', reason: 'no store there' }],
      delivered: { agents: new Map([['billing', { digest: '', at: new Date(0) }]]), peers: new Map() },
      at: new Date('2030-03-05T00:00:00Z'),
    }),
  )
}

const html = (report: MeshReport): string => meshFormats.html(report, {})
const pages: Readonly<Record<string, () => string>> = {
  'mesh-mixed': () => html(mixedMesh()),
  'mesh-20': () => html(large(20)),
  'mesh-40': () => html(large(40)),
  'mesh-hostile': () =>
    html(
      mixedMesh({
        diagnosis: hostile,
        matrix: [edgeOf(hostile, 'x'.repeat(64), { status: 'fail', detail: hostile })],
      }),
    ),
  'mesh-status': status,
}

describe.skipIf(chromium === undefined)('the pages of a mesh in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await Browser.start()
    mkdirSync(pictures, { recursive: true })
  })
  afterAll(() => browser.close())

  it.each(Object.entries(pages))(
    'fit a window and a phone, in light and dark, and print: %s',
    async (name, make) => {
      const file = join(pictures, `${name}.html`)
      writeFileSync(file, make())
      for (const width of [400, 1400]) {
        for (const scheme of ['light', 'dark'] as const) {
          await browser.show(width, scheme)
          await browser.open(pathToFileURL(file).href)
          writeFileSync(join(pictures, `${name}-${width}-${scheme}.png`), await browser.screenshot())
          expect(await browser.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
            width,
          )
          expect(
            await browser.evaluate<number>('document.querySelectorAll("script, a, img, iframe").length'),
          ).toBe(0)
          expect(await browser.evaluate<string[]>(faintTexts)).toEqual([])
        }
      }
      // As wide as a sheet of A4 between its margins.
      await browser.show(720, 'light', 'print')
      const widths =
        '[...document.querySelectorAll(".scroll")].filter((one) => one.scrollWidth > one.clientWidth).length'
      expect(await browser.evaluate<number>(widths)).toBe(0)
      writeFileSync(join(pictures, `${name}-print.png`), await browser.screenshot())
      writeFileSync(join(pictures, `${name}.pdf`), await browser.pdf())
      expect(browser.complaints).toEqual([])
    },
  )
})
