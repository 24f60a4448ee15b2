import { resolve } from 'node:path'
import { isTOTPError } from '../../core/errors.js'
import { defaultProfile } from '../../core/profile.js'
import { printable } from '../../core/text.js'
import { inContext, type CliContext } from '../context.js'
import type { Finding, StoreUnderTest } from '../../doctor/index.js'
import { exitCodes } from '../errors.js'
import { requireHttpUrl } from '../options.js'
import type { Output } from '../io/output.js'

interface DoctorOptions {
  fix?: true
  clock?: string
}

export const define = inContext((command, context) =>
  command
    .argument(
      '[stores...]',
      'their paths (default: the store that is found); several are compared with each other',
    )
    .option('--fix', 'fix what is safe to fix: modes, .gitignore, leftovers')
    .option('--clock <url>', 'compare the clock with the Date of an HTTP response')
    .addHelpText(
      'after',
      `
Exits with 1 if a serious finding was not fixed. With --fix it checks again: a finding reported as fixed is gone.
Never runs anything that the repository around a store configures.

Examples:
  $ a2a-totp doctor
  $ a2a-totp doctor billing.json mail.json        # does one seed serve two agents?
  $ a2a-totp doctor --clock https://billing.example --fix`,
    )
    .action(async (paths: string[], { fix, clock }: DoctorOptions) => {
      const { output, now, progress } = context
      if (clock !== undefined) requireHttpUrl('--clock', clock)
      const stores = await storesUnderTest(context, paths)
      const { examine, auditClock, worstFirst } = await import('../../doctor/index.js')
      const profile = stores[0]?.roster.profile ?? defaultProfile
      const clockFindings =
        clock === undefined
          ? []
          : await progress.during('checking the clock', () =>
              context.unlessInterrupted(auditClock(clock, profile, now)),
            )
      const found = await progress.during('checking files and git', () => examine(stores, now(), context))
      const findings = worstFirst([...found, ...clockFindings])
      const fixed = fix ? await repair(findings, output) : new Set<Finding>()
      context.signal.throwIfAborted()
      const ok = !findings.some((finding) => finding.severity === 'serious' && !fixed.has(finding))
      output.result(textOf(findings, fixed), {
        ok,
        findings: findings.map((finding) => viewOf(finding, fixed)),
      })
      if (findings.length === 0) output.say('no findings')
      if (!ok) context.setExitCode(exitCodes.no)
    }),
)

/** Modes are reported as findings, so a store that other commands refuse is examined anyway. */
async function storesUnderTest(
  { store, cwd }: CliContext,
  paths: readonly string[],
): Promise<StoreUnderTest[]> {
  const wanted = paths.length === 0 ? [store.nearest()] : paths.map((path) => resolve(cwd, path))
  const stores: StoreUnderTest[] = []
  for (const path of new Set(wanted)) stores.push({ path, ...(await store.examine(path)) })
  return stores
}

/** Fixes what can be fixed. Returns the findings that are gone; a fix may have no effect. */
async function repair(findings: readonly Finding[], output: Output): Promise<Set<Finding>> {
  const fixed = new Set<Finding>()
  for (const finding of findings) {
    try {
      if (await finding.repair?.()) fixed.add(finding)
    } catch (error) {
      if (!isTOTPError(error)) throw error
      output.warn(error.message)
    }
  }
  return fixed
}

function textOf(findings: readonly Finding[], fixed: ReadonlySet<Finding>): string {
  return findings
    .map((finding) => {
      const { severity, subject, message, fix } = finding
      const remedy = fixed.has(finding) ? 'fixed' : `fix: ${fix}`
      return `${severity}  ${printable(`${subject}: ${message}`)}\n  ${printable(remedy)}`
    })
    .join('\n')
}

function viewOf(finding: Finding, fixed: ReadonlySet<Finding>): Record<string, unknown> {
  const { id, severity, subject, message, fix } = finding
  return { id, severity, subject, message, fix, ...(fixed.has(finding) ? { mended: true } : {}) }
}
