import { relative } from 'node:path'
import type { Command } from 'commander'
import packageJson from '../../../package.json' with { type: 'json' }
import { defaultProfile } from '../../core/profile.js'
import { TOTPError, isTOTPError } from '../../core/errors.js'
import { quoteForShell } from '../../core/shell.js'
import { count, printable } from '../../core/text.js'
import type { EventTally, Finding, Kind, StoreUnderTest } from '../../doctor/index.js'
import { locateStore } from '../../store/locate.js'
import { previousPath } from '../../store/previous.js'
import { inContext, type CliContext, type DefineCommand } from '../context.js'
import { exitCodes } from '../errors.js'
import { givenChunks } from '../io/given-stream.js'
import { workingFolderOrRoot, pathFrom } from '../io/path.js'
import type { Output } from '../io/output.js'
import { requireHttpUrl } from '../options.js'
import type { System } from '../system.js'

interface DoctorOptions {
  fix?: true
  clock?: string
  events?: string
  verbose?: true
}

export const define: DefineCommand = (command, invocation) =>
  inContext((doctor, context) => describe(doctor, context, invocation.system))(command, invocation)

const describe = (command: Command, context: CliContext, system: System): Command =>
  command
    .argument(
      '[stores...]',
      'their paths (default: the store that is found); several are compared with each other',
    )
    .option('--fix', 'fix what is safe to fix: modes, .gitignore, leftovers')
    .option('--clock <url>', 'compare the clock with the Date of an HTTP response')
    .option(
      '--events <file>',
      "read what the agent's onEvent or gate --log json logged, a JSON document a line; - is standard input",
    )
    .option('--verbose', 'report each finding by itself, instead of one line for each kind')
    .addHelpText(
      'after',
      `
Exits with 1 if a serious finding was not fixed. With --fix it checks again: a finding reported as fixed is gone.
Never runs anything that the repository around a store configures. --events says which peers signed all of their requests,
and why proofs were invalid: see help proofs.

Examples:
  $ a2a-totp doctor
  $ a2a-totp doctor billing.json mail.json        # does one seed serve two agents?
  $ a2a-totp doctor --clock https://billing.example --fix
  $ journalctl -u billing -o cat | a2a-totp doctor --events -`,
    )
    .action(async (paths: string[], { fix, clock, events, verbose }: DoctorOptions) => {
      const { output, now, progress, env, signal } = context
      if (clock !== undefined) requireHttpUrl('--clock', clock)
      const stores = await storesUnderTest(context, paths)
      const [first] = stores
      if (events !== undefined && stores.length > 1)
        throw new TOTPError('ERR_USAGE', '--events is about the peers of one store; name only one')
      const { examine, auditClock, auditEvents, tallyEvents, worstFirst, kindsOf } =
        await import('../../doctor/index.js')
      const tally =
        events === undefined || !first
          ? undefined
          : await progress.during('reading events', () =>
              tallyEvents(
                givenChunks(context, system, 'the file given to --events', events),
                new Set(first.roster.peers.keys()),
              ),
            )
      const eventFindings = tally && first ? auditEvents(tally, first.roster, first.tool) : []
      const profile = stores[0]?.roster.profile ?? defaultProfile
      const clockFindings =
        clock === undefined
          ? []
          : await progress.during('checking the clock', () =>
              context.unlessInterrupted(auditClock(clock, profile, now)),
            )
      const asker = { env, signal, cwd: workingFolderOrRoot(context) }
      const look = (): Promise<Finding[]> =>
        progress.during('checking files and git', () =>
          examine(stores, { at: now(), version: packageJson.version, asker }),
        )
      const found = await look()
      const { findings, fixed } = fix ? await repair(found, look, output) : untouched(found)
      context.signal.throwIfAborted()
      const all = worstFirst([...findings, ...eventFindings, ...clockFindings])
      const ok = !all.some((finding) => finding.severity === 'serious' && !fixed.has(finding))
      output.result(verbose ? blocks(all, fixed) : kindsOf(all, fixed).map(lineOf).join('\n'), {
        ok,
        findings: all.map((finding) => viewOf(finding, fixed, stores.length > 1)),
        ...(tally && { events: eventCounts(tally) }),
      })
      if (tally) output.say(eventSummary(tally))
      output.say(summaryOf(all, fixed))
      if (!ok) context.setExitCode(exitCodes.no)
    })

const eventCounts = ({ lines, counted, unknown, foreign }: EventTally): object => ({
  lines,
  counted,
  unknown,
  foreign,
})

function eventSummary({ lines, counted, unknown, foreign }: EventTally): string {
  const parts = [
    `${count(lines, 'line')} read`,
    `${count(counted, 'event')} with proofs of these peers`,
    ...(unknown > 0 ? [`${unknown} of peers that are not in the store`] : []),
    ...(foreign > 0 ? [`${foreign} skipped: not events`] : []),
  ]
  return parts.join(', ')
}

/** Modes are reported as findings, so a store that other commands refuse is examined anyway. */
async function storesUnderTest(context: CliContext, paths: readonly string[]): Promise<StoreUnderTest[]> {
  const { store, env } = context
  const cwd = workingFolderOrRoot(context)
  const wanted = paths.length === 0 ? [store.nearest()] : paths.map((path) => pathFrom(context, path))
  const usual = locateStore({ env, cwd })
  const stores: StoreUnderTest[] = []
  for (const path of new Set(wanted)) {
    const isUsual = usual.found && usual.path === path
    const opened = await store.examine(path)
    // The keys of an encrypted store are at hand now; beside a plain one, no key is asked for.
    const access = opened.protection.kind === 'none' ? store.unasked() : store
    stores.push({
      path,
      tool: isUsual ? 'a2a-totp' : toolFor(path, folderOrNone(context)),
      ...opened,
      openPrevious: async () => (await access.examine(previousPath(path))).roster,
    })
  }
  return stores
}

/** The command that works on a store which it would not find by itself. */
function toolFor(path: string, cwd: string | undefined): string {
  const near = cwd === undefined ? path : relative(cwd, path)
  return `a2a-totp --store ${quoteForShell(near.startsWith('..') ? path : near)}`
}

/** Undefined once it was deleted: no path is relative to it then. */
function folderOrNone(context: CliContext): string | undefined {
  try {
    return context.cwd
  } catch {
    return undefined
  }
}

interface Repaired {
  readonly findings: readonly Finding[]
  /** Those of them that are gone. */
  readonly fixed: ReadonlySet<Finding>
}

const untouched = (findings: readonly Finding[]): Repaired => ({ findings, fixed: new Set() })

/** Fixes what can be fixed, and looks again: a fix may have no effect, or bring something else to light. */
async function repair(
  found: readonly Finding[],
  look: () => Promise<Finding[]>,
  output: Output,
): Promise<Repaired> {
  const repaired: Finding[] = []
  const warnings = new Set<string>()
  const tried: Finding[] = []
  for (const finding of found) {
    try {
      const isRepaired = await finding.repair?.()
      if (isRepaired) repaired.push(finding)
      tried.push(isRepaired === false ? withoutRepair(finding) : finding)
    } catch (error) {
      if (!isTOTPError(error)) throw error
      warnings.add(error.message)
      tried.push(withoutRepair(finding))
    }
  }
  for (const warning of warnings) output.warn(warning)
  if (repaired.length === 0) return untouched(tried)
  const after = await look()
  const fixed = new Set(repaired.filter((finding) => !after.some((one) => isSame(one, finding))))
  const others = after.filter((one) => !found.some((finding) => isSame(one, finding)))
  return { findings: [...tried, ...others], fixed }
}

/** Once a repair had no effect, to try it again is no advice. */
const withoutRepair = (finding: Finding): Finding => ({ ...finding, fix: finding.otherwise ?? finding.fix })

const isSame = (one: Finding, other: Finding): boolean => one.id === other.id && one.subject === other.subject

function lineOf({ id, severity, subject, message, fix }: Kind): string {
  const remedy = fix === undefined ? 'fixed' : `fix: ${fix}`
  return printable(`${severity}  ${id}  ${subject}: ${message}; ${remedy}`)
}

/** One block for each finding. */
function blocks(findings: readonly Finding[], fixed: ReadonlySet<Finding>): string {
  return findings
    .map((finding) => {
      const { severity, subject, message, fix } = finding
      const remedy = fixed.has(finding) ? 'fixed' : `fix: ${fix}`
      return `${severity}  ${printable(`${subject}: ${message}`)}\n  ${printable(remedy)}`
    })
    .join('\n')
}

function summaryOf(findings: readonly Finding[], fixed: ReadonlySet<Finding>): string {
  if (findings.length === 0) return 'no findings'
  const open = (severity: string): number =>
    findings.filter((finding) => finding.severity === severity && !fixed.has(finding)).length
  const counts = [
    `${open('serious')} serious`,
    count(open('warning'), 'warning'),
    count(open('note'), 'note'),
    ...(fixed.size > 0 ? [`${fixed.size} fixed`] : []),
  ]
  return counts.join(', ')
}

function viewOf(finding: Finding, fixed: ReadonlySet<Finding>, several: boolean): Record<string, unknown> {
  const { id, severity, subject, message, fix, store } = finding
  const more = {
    ...(several && store !== undefined && { store }),
    ...(fixed.has(finding) && { fixed: true }),
  }
  return { id, severity, subject, message, fix, ...more }
}
