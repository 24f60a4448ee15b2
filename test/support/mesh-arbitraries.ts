import fc from 'fast-check'
import { replayPolicies } from '../../src/core/profile.js'
import { signedPolicies } from '../../src/core/proof/profile.js'
import type { Mesh } from '../../src/mesh/file/mesh.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { anyName } from './arbitraries.js'

const anyPolicies = fc.record(
  { replay: fc.constantFrom(...replayPolicies), signed: fc.constantFrom(...signedPolicies) },
  { requiredKeys: [] },
)

const anyTime = fc.constantFrom('never', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z')

/** Anything that a file may hold as a text, with what formats have to escape. */
const anyNote = fc
  .oneof(fc.string({ minLength: 1 }), fc.constant('<b onload="x">&]]>`%%{|"::error::'))
  .filter((note) => note.trim() !== '')

const anyUrl = fc.oneof(
  fc.webUrl({ withQueryParameters: true }),
  fc.constantFrom('http://[::1]:8080/', 'https://bücher.example/"<b>&`|', 'https://a.example/::error::x'),
)

const anyCall = (agents: readonly string[]): fc.Arbitrary<object> =>
  fc
    .record(
      {
        agent: fc.constantFrom(...agents),
        note: anyNote,
        expires: anyTime,
        rotateAfter: fc.constantFrom('90d', '12h'),
      },
      { requiredKeys: ['agent'] },
    )
    .chain((call) => anyPolicies.map((policies) => ({ ...call, ...policies })))

/** What a mesh file holds. Some names are both a peer and an agent. */
export const anyMeshDocument = (most = 8): fc.Arbitrary<object> =>
  fc.uniqueArray(anyName, { maxLength: most }).chain((agents) =>
    fc
      .uniqueArray(agents.length === 0 ? anyName : fc.oneof(anyName, fc.constantFrom(...agents)), {
        maxLength: most,
      })
      .chain((peers) =>
        fc.record({
          version: fc.constant(1),
          agents: fc
            .tuple(
              ...agents.map((name) =>
                fc.tuple(anyUrl, anyPolicies).map(([url, policies]) => [name, { url, ...policies }]),
              ),
            )
            .map((entries) => Object.fromEntries(entries) as object),
          peers: fc
            .tuple(
              ...peers.map((name) =>
                (agents.length === 0
                  ? fc.constant([])
                  : fc.uniqueArray(anyCall(agents), {
                      maxLength: most,
                      selector: (call) => (call as { agent: string }).agent,
                    })
                ).map((calls) => [name, { calls }]),
              ),
            )
            .map((entries) => Object.fromEntries(entries) as object),
        }),
      ),
  )

/** The mesh of a document. */
export const meshOf = (document: object, path = '/mesh/mesh.yaml'): Mesh =>
  parseMesh(JSON.stringify(document), path)

/** Peers that call every agent, under names of some length. */
export function fullMesh(agents: number, peers: number, calls: number): object {
  const agentNames = Array.from({ length: agents }, (_, index) => `agent-${index + 1}.eu-west`)
  const policies = [{ replay: 'once', signed: 'require' }, { replay: 'once' }, { replay: 'reuse' }]
  return {
    version: 1,
    agents: Object.fromEntries(
      agentNames.map((name, index) => [
        name,
        { url: `https://${name}.internal.example:8443/a2a/v1`, ...policies[index % policies.length] },
      ]),
    ),
    peers: Object.fromEntries(
      Array.from({ length: peers }, (_, index) => [
        index % 9 === 4 ? (agentNames[index % agents] ?? '') : `peer-${index + 1}`,
        // Odd steps spread the calls, so that lines have to cross.
        { calls: agentNames.filter((_, number) => (number + index * 7) % agents < calls) },
      ]),
    ),
  }
}
