import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keepReport, readReports } from '../../src/mesh/status/index.js'
import { makeFolder } from '../support/cli.js'
import { largeMesh, mixedMesh } from '../support/mesh-report.js'

const at = (minute: number): string => new Date(Date.UTC(2030, 0, 1, 0, minute)).toISOString()

describe('reports that are kept', () => {
  it('are read back as they were, the latest last, and the one before it', () => {
    const folder = join(makeFolder(), 'new', 'reports')
    const reports = [2, 0, 1].map((minute) => mixedMesh({ startedAt: at(minute) }))
    const paths = reports.map((report) => keepReport(folder, report))
    for (const path of paths) expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const { runs, latest, before, passedOver } = readReports(folder)
    expect(runs.map(({ startedAt }) => startedAt)).toEqual([at(0), at(1), at(2)])
    expect(latest).toEqual(reports[0])
    expect(before?.startedAt).toBe(at(1))
    expect(passedOver).toEqual([])
  })

  it('are both kept where two runs began in one millisecond, in their order', () => {
    const folder = makeFolder()
    keepReport(folder, mixedMesh({ requests: 1 }))
    keepReport(folder, mixedMesh({ requests: 2 }))
    const { latest, before } = readReports(folder)
    expect([before?.requests, latest?.requests]).toEqual([1, 2])
  })

  it('are the newest 100, and nothing else in the folder is removed', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'a-note.txt'), 'mine')
    const report = largeMesh(1)
    for (let minute = 0; minute < 103; minute++) keepReport(folder, { ...report, startedAt: at(minute) })
    const { runs } = readReports(folder)
    expect(runs).toHaveLength(100)
    expect(runs[0]?.startedAt).toBe(at(3))
    expect(readFileSync(join(folder, 'a-note.txt'), 'utf8')).toBe('mine')
    expect(readdirSync(folder)).toHaveLength(101)
  })

  it('leave out, by name and reason, what is broken, foreign, too large or of another mesh', () => {
    const folder = makeFolder()
    const name = (minute: number): string => `prove-${at(minute).replaceAll(':', '-')}.json`
    keepReport(folder, mixedMesh({ startedAt: at(0) }))
    keepReport(folder, mixedMesh({ startedAt: at(1), mesh: '/elsewhere/other.yaml' }))
    writeFileSync(join(folder, name(2)), '{"version":1,"mesh"')
    writeFileSync(join(folder, name(3)), JSON.stringify({ ...mixedMesh(), matrix: [{ peer: 1 }] }))
    symlinkSync('/etc/hostname', join(folder, name(4)))
    mkdirSync(join(folder, name(5)))
    writeFileSync(join(folder, name(6)), '')
    truncateSync(join(folder, name(6)), 33 * 1024 * 1024)
    writeFileSync(join(folder, 'index.html'), '')
    writeFileSync(join(folder, name(7)), JSON.stringify({ ...mixedMesh(), version: 2 }))
    const { runs, passedOver } = readReports(folder, '/srv/mesh.yaml')
    expect(runs.map(({ startedAt }) => startedAt)).toEqual([at(0)])
    expect(passedOver.map(({ file, reason }) => `${file}: ${reason}`)).toEqual([
      'index.html: not a report',
      `${name(1)}: of another mesh, other.yaml`,
      `${name(2)}: not a whole report`,
      `${name(3)}: not a whole report`,
      `${name(4)}: cannot be read (ELOOP)`,
      `${name(5)}: not a regular file`,
      `${name(6)}: larger than 32 MiB`,
      `${name(7)}: not a whole report`,
    ])
  })

  it('are none where there is no folder', () => {
    expect(readReports(join(makeFolder(), 'none'))).toEqual({ runs: [], passedOver: [] })
  })

  it('cannot be kept in a file', () => {
    const file = join(makeFolder(), 'reports')
    writeFileSync(file, '')
    expect(() => keepReport(file, mixedMesh())).toThrow(
      expect.objectContaining({ code: 'ERR_FILE_UNWRITABLE' }),
    )
  })
})
