import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { isTOTPError, TOTPError } from '../../core/errors.js'
import { parseRfc3339 } from '../../core/instant.js'
import { parseJson } from '../../core/json.js'
import { jsonText } from '../../core/text.js'
import { writeNewFile } from '../../store/atomic-write.js'
import { closeQuietly, fileSystem, openExisting, removeQuietly } from '../../store/file-system.js'
import { errnoOf, translateErrors } from '../../store/system-error.js'
import type { MeshReport } from '../prove/mesh-report.js'
import { withRun, type Current } from './current.js'
import { reportSchema } from './report-schema.js'
import { runOf, type Run } from './runs.js'

/** How many are kept. */
const mostReports = 100

/** What a report of 40 agents by 40 peers takes, several times. */
const mostBytes = 32 * 1024 * 1024

/** Sorted, the names are in the order of their time; the second of one millisecond comes after the first. */
const nameOf = (report: MeshReport, ordinal: number): string => {
  const at = parseRfc3339(report.startedAt)
  if (at === undefined) throw new TypeError('a report begins at an instant')
  return `prove-${at.toISOString().replaceAll(':', '-')}${ordinal === 1 ? '' : `_${ordinal}`}.json`
}
const isOurs = (name: string): boolean =>
  /^prove-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z(?:_\d{1,2})?\.json$/.test(name)

/**
 * Keeps a report in a folder, which is made if it is not there, whole or not at all, readable by the user alone. Of the
 * reports there, the newest 100 stay.
 *
 * @returns the path of the file
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` with the cause
 */
export function keepReport(folder: string, report: MeshReport): string {
  translateErrors('ERR_FILE_UNWRITABLE', `cannot make the folder ${folder}`, () =>
    mkdirSync(folder, { recursive: true, mode: 0o700 }),
  )
  const path = writeUnder(folder, report, `${jsonText(report)}\n`)
  for (const name of namesIn(folder).filter(isOurs).slice(0, -mostReports))
    removeQuietly(join(folder, name), fileSystem)
  return path
}

function writeUnder(folder: string, report: MeshReport, text: string): string {
  for (let ordinal = 1; ordinal < 100; ordinal++) {
    const path = join(folder, nameOf(report, ordinal))
    try {
      writeNewFile(path, text, { force: false })
      return path
    } catch (error) {
      if (!isTOTPError(error) || error.code !== 'ERR_FILE_EXISTS') throw error
    }
  }
  throw new TOTPError(
    'ERR_FILE_UNWRITABLE',
    `${folder} has too many reports of one instant; name another folder`,
  )
}

/** A file of the folder that is no report of this mesh, and why. */
export interface PassedOver {
  readonly file: string
  readonly reason: string
}

export interface KeptReports {
  /** Oldest first. */
  readonly runs: readonly Run[]
  readonly latest?: MeshReport
  /** The one before the latest. */
  readonly before?: MeshReport
  /** What they all show together. */
  readonly current?: Current
  readonly passedOver: readonly PassedOver[]
}

/**
 * Reads the reports of a folder, at most the newest 100, one after the other. Nothing, where there is no such folder. What
 * is no report, cannot be read or is of another mesh is named, and passed over.
 *
 * @param mesh the path of the mesh file, of which the name alone is compared; undefined for all
 * @throws {TOTPError} `ERR_FILE_UNREADABLE` where the folder cannot be read
 */
export function readReports(folder: string, mesh?: string): KeptReports {
  const passedOver: PassedOver[] = []
  const runs: Run[] = []
  let latest: MeshReport | undefined
  let before: MeshReport | undefined
  let current: Current | undefined
  const names = namesIn(folder).filter((name) => !name.startsWith('.'))
  for (const file of names.filter((name) => !isOurs(name))) passedOver.push({ file, reason: 'not a report' })
  for (const file of names.filter(isOurs).slice(-mostReports)) {
    const report = readReport(join(folder, file))
    if (typeof report === 'string') passedOver.push({ file, reason: report })
    else if (mesh !== undefined && basename(report.mesh) !== basename(mesh))
      passedOver.push({ file, reason: `of another mesh, ${basename(report.mesh)}` })
    else {
      before = latest
      latest = report
      current = withRun(current, report)
      runs.push(runOf(report))
    }
  }
  return {
    ...{ runs, passedOver },
    ...(latest && { latest }),
    ...(before && { before }),
    ...(current && { current }),
  }
}

/** A report, or why it is none. */
function readReport(path: string): MeshReport | string {
  try {
    const bytes = readBounded(path)
    if (typeof bytes === 'string') return bytes
    const result = v.safeParse(reportSchema, parseJson(bytes.toString()))
    return result.success ? result.output : 'not a whole report'
  } catch (error) {
    return error instanceof SyntaxError ? 'not JSON' : `cannot be read (${errnoOf(error) ?? 'not JSON'})`
  }
}

/** The bytes of a regular file; why not, of another. It is opened before it is looked at, and no link is followed. */
function readBounded(path: string): Buffer | string {
  const file = fileSystem.openSync(path, openExisting)
  try {
    const stats = fileSystem.fstatSync(file)
    if (!stats.isFile()) return 'not a regular file'
    if (stats.size > mostBytes) return `larger than ${mostBytes / 1024 / 1024} MiB`
    return fileSystem.readFileSync(file)
  } finally {
    closeQuietly(file, fileSystem)
  }
}

function namesIn(folder: string): string[] {
  return translateErrors('ERR_FILE_UNREADABLE', `cannot read the folder ${folder}`, () => {
    try {
      return fileSystem.readdirSync(folder).sort()
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
  })
}
