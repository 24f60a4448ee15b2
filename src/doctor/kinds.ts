import { nameSubjects, type Finding, type Severity } from './finding.js'

/** All findings with one id and severity, as one line says them. */
export interface Kind {
  readonly id: string
  readonly severity: Severity
  /** Who or what, counted and named. */
  readonly subject: string
  readonly message: string
  /** Undefined once they are fixed. */
  readonly fix: string | undefined
}

/** Puts findings of one kind together: a store with ten peers then has as many lines as one with two. */
export function kindsOf(findings: readonly Finding[], fixed: ReadonlySet<Finding>): Kind[] {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.id} ${fixed.has(finding)}`
    groups.set(key, [...(groups.get(key) ?? []), finding])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { id, severity } = first
    const fix = fixed.has(first) ? undefined : fixOf(group)
    return [{ id, severity, subject: subjectOf(group, first), message: messageOf(group, first), fix }]
  })
}

function subjectOf(group: readonly Finding[], { joint }: Finding): string {
  const subjects = [...new Set(group.map(({ subject }) => subject))]
  if (subjects.length === 1) return subjects.join('')
  return `${subjects.length} ${joint?.noun ?? 'times'}: ${nameSubjects(subjects)}`
}

function messageOf(group: readonly Finding[], { message, joint }: Finding): string {
  if (group.every((one) => one.message === message)) return message
  return joint?.message ?? `${message}; the others with --verbose`
}

/** One fix for each store, since a command works on one. */
function fixOf(group: readonly Finding[]): string {
  const stores = [...new Set(group.map(({ store }) => store))]
  const fixes = stores.map((store) => fixOfOne(group.filter((one) => one.store === store)))
  return [...new Set(fixes)].join('; ')
}

function fixOfOne(group: readonly Finding[]): string {
  const fixes = [...new Set(group.map(({ fix }) => fix))]
  const subjects = [...new Set(group.map(({ subject }) => subject))]
  const [first = ''] = fixes
  if (fixes.length <= 1) return first
  return group[0]?.joint?.fix?.(subjects) ?? `${first}; the others with --verbose`
}
