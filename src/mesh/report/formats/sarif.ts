import { documentOf, fingerprint, plain, ruleOf, top, uriOf } from '../../../probe/report/formats/sarif.js'
import type { FormatOptions } from '../../../probe/index.js'
import { isFailing } from '../../../probe/report/report.js'
import { joined } from '../../../probe/report/words.js'
import type { MeshReport } from '../../prove/mesh-report.js'
import { resultsOf, subjectOf, type MeshResult } from '../results.js'
import { ruleIds, textsOf } from '../rules.js'

/** Where results are shown if the caller names no file. */
const usualLocation = 'mesh.yaml'

/**
 * The report as SARIF 2.1.0, within the limits of GitHub's code scanning: every rule in every run, and a result for each
 * failure and warning and for what is ignored, at its line of the mesh file.
 */
export function renderSarif(
  report: MeshReport,
  { location = usualLocation, version }: FormatOptions,
): string {
  const { mesh, narrowed, diagnosis, ok } = report
  const shown = resultsOf(report).filter(
    ({ status, ignored }) => status === 'fail' || status === 'warn' || ignored === true,
  )
  const seen = new Map<string, number>()
  const results = shown.map((result) => {
    // A card can name one URL for two tenants, and a peer can have been removed twice.
    const print = fingerprint([location, result.id, result.agent ?? '', result.peer ?? '', result.column])
    const ordinal = (seen.get(print) ?? 0) + 1
    seen.set(print, ordinal)
    return resultOf(result, report, {
      location,
      print: ordinal === 1 ? print : fingerprint([print, String(ordinal)]),
    })
  })
  return documentOf(report, {
    tool: 'a2a-totp mesh prove',
    version,
    rules: ruleIds.map((id) => ruleOf(id, textsOf(id))),
    // GitHub keeps the results of each category apart, so two meshes do not close each other's alerts.
    category: `a2a-totp-mesh/${fingerprint([location]).slice(0, 16)}/`,
    results,
    properties: { mesh, ok, narrowed, ...(diagnosis === undefined ? {} : { diagnosis }) },
  })
}

function resultOf(
  result: MeshResult,
  report: MeshReport,
  { location, print }: { readonly location: string; readonly print: string },
): object {
  const { id, expected, actual, detail, url, status, ignored, column, agent, peer } = result
  const text = joined(
    ' ',
    `${joined(', ', subjectOf(result), joined(' at ', column, url ?? ''))}:`,
    `expected ${expected}, actual ${actual}.`,
    ignored === true ? '' : detail,
  )
  return {
    ruleId: id,
    ruleIndex: ruleIds.indexOf(id),
    level: isFailing(result, report) ? 'error' : 'warning',
    message: { text: plain(text) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(location), uriBaseId: top },
          region: { startLine: result.line ?? 1 },
        },
        logicalLocations: [
          { name: subjectOf(result), fullyQualifiedName: joined('/', agent ?? 'mesh', peer ?? '', column) },
        ],
      },
    ],
    // GitHub compares the first alone. Neither the line nor the words, which change while the alert is the same.
    partialFingerprints: { primaryLocationLineHash: `${print.slice(0, 16)}:1`, 'a2aTotpMesh/v1': print },
    ...(ignored === true
      ? { suppressions: [{ kind: 'external', status: 'accepted', justification: detail }] }
      : {}),
    properties: { status },
  }
}
