import { join, relative } from 'node:path'
import packageJson from '../../../../package.json' with { type: 'json' }
import { isTOTPError, TOTPError } from '../../../core/errors.js'
import { withForgotten } from '../../../core/removed.js'
import type { Roster } from '../../../core/roster.js'
import { count, listSome } from '../../../core/text.js'
import type { MeshReport } from '../../../mesh/prove/mesh-report.js'
import { crossingsIn } from '../../../mesh/prove/crossings.js'
import { proveMesh, type Forgettable } from '../../../mesh/prove/prove.js'
import type { ProveOptions, ProveProgress } from '../../../mesh/prove/prove-options.js'
import { partOf } from '../../../mesh/prove/selection.js'
import { requireRosters } from '../../../mesh/prove/rosters.js'
import { documentOf, meshFormats } from '../../../mesh/report/index.js'
import { keepReport } from '../../../mesh/status/kept-reports.js'
import { chooseProxy } from '../../../probe/index.js'
import type { CliContext } from '../../context.js'
import { exitCodes } from '../../errors.js'
import { readGivenFile } from '../../io/given-file.js'
import { pathFrom, workingFolder } from '../../io/path.js'
import { refuseStore } from '../../io/result-file.js'
import { requirePlaces, writeReports } from '../probe/probe-reports.js'
import { sarifLocation } from '../probe/sarif-location.js'
import { openMesh, type OpenedMesh } from './open-mesh.js'
import type { ProveCommandOptions } from './prove-command-options.js'

/** Proves a mesh, and reports it. */
export async function runProve(context: CliContext, options: ProveCommandOptions): Promise<void> {
  const { output } = context
  const targets = options.format ?? []
  requirePlaces(context, targets, options)
  const opened = await openMesh(context, options)
  requireNoStore(context, opened, options)
  const rosters = await readAll(context, opened, options)
  const asked = proveOptions(context, opened, rosters, options)
  if (options.cross) await confirmCrossing(context, asked, options.yes ?? false)
  const { report, refused } = await duringProve(context, (telling) =>
    context.unlessInterrupted(proveMesh({ ...asked, ...telling })),
  )
  await forget(context, opened, refused)
  if (options.keep !== false) keep(context, opened, options.keep, report)
  writeReports(context, documentOf(report), targets, options, (format, nice) =>
    meshFormats[format](report, {
      version: packageJson.version,
      ...locationOf(context, opened),
      color: nice,
      symbols: nice && output.unicode,
    }),
  )
  if (!report.reachable) context.setExitCode(exitCodes.unreachable)
  else if (!report.ok) context.setExitCode(exitCodes.no)
}

/** What each store of the part that is proved, and of the rest of the mesh, holds. With `forget`, without removed peers. */
async function readAll(
  context: CliContext,
  { mesh, stores }: OpenedMesh,
  { forget: forgets, only = [] }: ProveCommandOptions,
): Promise<ReadonlyMap<string, Roster>> {
  const part = partOf(mesh, only)
  const rosters = await requireRosters(mesh, stores)
  if (!forgets) return rosters
  const kept = [...rosters].map(async ([agent, roster]): Promise<[string, Roster]> => {
    const entry = mesh.agents.get(agent)
    const dropped = roster.removed ?? []
    if (!entry || !part.hasAgent(agent) || dropped.length === 0) return [agent, roster]
    const after = await stores(entry).update((now) => withForgotten(now, dropped))
    context.output.say(`forgot ${listSome(dropped.map(({ name }) => name))} at ${agent}, unsent`)
    return [agent, after]
  })
  return new Map(await Promise.all(kept))
}

function proveOptions(
  context: CliContext,
  { mesh }: OpenedMesh,
  rosters: ReadonlyMap<string, Roster>,
  options: ProveCommandOptions,
): ProveOptions {
  const { only, isolation, cross, strict, concurrency, insecureHttp, ca, rate, timeout, deadline, wait } =
    options
  const proxy = chooseProxy(context.env, options.proxy)
  // A proxy that cannot be used is an error before anything is sent.
  for (const { url } of mesh.agents.values()) proxy(new URL(url))
  return {
    ...{ mesh, rosters, concurrency, proxy, now: context.now, random: context.random },
    name: relative(workingFolder(context) ?? mesh.folder, mesh.path),
    ...(only && { only }),
    ...(isolation && { isolation }),
    ...(cross && { cross }),
    ...(strict && { strict }),
    ...(insecureHttp && { insecureHttp }),
    ...(ca !== undefined && { ca: readGivenFile(context, 'the file given to --ca', ca).toString() }),
    ...(rate !== undefined && { rate }),
    timeoutMs: timeout * 1000,
    ...(deadline !== undefined && { deadlineMs: deadline * 1000 }),
    ...(wait !== undefined && { waitMs: wait * 1000 }),
  }
}

/** @throws {TOTPError} `ERR_FILE_EXISTS` for a report that would replace a store or the mesh file */
function requireNoStore(
  context: CliContext,
  { mesh }: OpenedMesh,
  { format = [], out }: ProveCommandOptions,
): void {
  const given = [...format.map(({ file }) => file), out === '-' ? undefined : out]
  const files = given.flatMap((file) => (file === undefined ? [] : [pathFrom(context, file)]))
  for (const file of files) {
    if (file === mesh.path)
      throw new TOTPError('ERR_FILE_EXISTS', `${file} is the mesh file; name another file`)
    for (const { store } of mesh.agents.values()) refuseStore(context.store.at(store), file)
  }
}

/** Lists what agents will learn, and asks. */
async function confirmCrossing(context: CliContext, asked: ProveOptions, yes: boolean): Promise<void> {
  const learned = crossingsIn(asked)
  if (learned.length === 0) {
    context.output.say('--cross: no peer has credentials that another agent could be sent')
    return
  }
  for (const line of learned) context.output.warn(`--cross: ${line}`)
  const question = `${count(learned.length, 'agent')} will learn tokens and codes of other agents' edges. Send them?`
  if (yes || (await context.confirm(question, '--yes'))) return
  throw new TOTPError('ERR_DECLINED', 'nothing was sent')
}

/** Drops what was seen to be refused. A store that cannot be written keeps it, and the next run shows it again. */
async function forget(
  { output }: CliContext,
  { mesh, stores }: OpenedMesh,
  refused: readonly Forgettable[],
): Promise<void> {
  for (const agent of mesh.agents.values()) {
    const seen = refused.filter((one) => one.agent === agent.name)
    if (seen.length === 0) continue
    try {
      await stores(agent).update((roster) => withForgotten(roster, seen))
    } catch (error) {
      if (!isTOTPError(error)) throw error
      output.warn(`removed peers of ${agent.name} are kept in its store: ${error.message} (${error.code})`)
    }
  }
}

/** Keeps the report for `mesh status`. Where the usual folder cannot be written, a run in CI is not to fail for it. */
function keep(
  context: CliContext,
  { mesh }: OpenedMesh,
  given: string | undefined,
  report: MeshReport,
): void {
  const folder = given === undefined ? join(mesh.folder, 'reports') : pathFrom(context, given)
  try {
    keepReport(folder, report)
  } catch (error) {
    if (given !== undefined || !isTOTPError(error)) throw error
    context.output.warn(`the report is not kept: ${error.message} (${error.code})`)
  }
}

/** SARIF shows results in the mesh file. */
function locationOf(context: CliContext, { mesh }: OpenedMesh): { location?: string } {
  try {
    const location = sarifLocation(context, mesh.path)
    return location === undefined ? {} : { location }
  } catch (error) {
    // It is not in this repository.
    if (isTOTPError(error)) return {}
    throw error
  }
}

/** Shows how far a run is while it lasts. */
async function duringProve<T>(
  { progress }: CliContext,
  work: (telling: Required<Pick<ProveOptions, 'announce' | 'progress'>>) => Promise<T>,
): Promise<T> {
  return progress.during('proving', (say, show) =>
    work({
      announce: say,
      progress: (state) => {
        show(lineOf(state))
      },
    }),
  )
}

const lineOf = ({ agents, edges, requests }: ProveProgress): string =>
  `proving: ${agents.done} of ${count(agents.of, 'agent')}, ${edges.done} of ${count(edges.of, 'pair')}, ` +
  count(requests, 'request')
