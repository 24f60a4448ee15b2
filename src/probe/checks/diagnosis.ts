import type { CheckId } from '../check-ids.js'
import type { ProbeOptions } from '../options.js'
import type { Evidence } from '../run/evidence.js'
import { titleOf, type Cell } from '../target/cells.js'
import type { Claim } from './diagnosis-claim.js'
import { rules } from './diagnosis-rules.js'
import { viewOf, type View } from './diagnosis-view.js'
import type { Judgement } from './judgement.js'

/** One sentence that explains most of what failed, and the check to read about. */
export interface Diagnosis {
  readonly sentence: string
  readonly explain: CheckId
}

/**
 * The first rule that holds and explains more than half of what failed; undefined if nothing failed, or if no single
 * sentence explains it.
 */
export function diagnose(evidence: Evidence, judgements: readonly Judgement[]): Diagnosis | undefined {
  const view = viewOf(evidence, judgements)
  for (const rule of rules) {
    const claim = rule(view)
    if (claim === undefined) continue
    const explained = view.failing.filter(({ check, cell }) => explains(claim, check.id, cell))
    if (explained.length * 2 <= view.failing.length) continue
    const explain = claim.explain ?? explained[0]?.check.id
    if (explain !== undefined) return { sentence: sentenceOf(claim, view), explain }
  }
  return undefined
}

function explains({ ids, cells }: Claim, id: CheckId, cell: Cell | null): boolean {
  return ids.includes(id) && (cell === null || cells === undefined || cells.includes(cell))
}

function sentenceOf({ text, about, cells, addresses }: Claim, view: View): string {
  const some = cells !== undefined && cells.length > 0 && cells.length < view.tested.length
  const named = some ? namesOf(cells, view.tested) : undefined
  const said = named === undefined ? text : (about?.(named) ?? `${named}: ${text}`)
  return `${said} (${placesOf(addresses ?? (cells ?? []).map(({ url }) => url.href), view.evidence)})`
}

/** The most addresses to name; for more, the URL that was probed stands for all. */
const mostAddresses = 3

function placesOf(
  addresses: readonly string[],
  { target, options }: Pick<Evidence, 'target' | 'options'>,
): string {
  const urls = [...new Set(addresses)]
  return urls.length === 0 || urls.length > mostAddresses ? urlOf(target, options) : urls.join(', ')
}

/** As it was given: the parsed form may differ by a slash. */
const urlOf = (target: URL, { url }: Pick<ProbeOptions, 'url'>): string =>
  URL.canParse(url) ? url : target.href

/** "REST" if all versions of it are meant, else "REST 1.0 and gRPC 1.0". */
function namesOf(cells: readonly Cell[], tested: readonly Cell[]): string {
  const names = cells.map((cell) => {
    const ofBinding = tested.filter(({ binding }) => binding === cell.binding)
    return ofBinding.every((one) => cells.includes(one))
      ? titleOf(cell).replace(/ [\d.]+$/, '')
      : titleOf(cell)
  })
  return listOf([...new Set(names)])
}

function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}
