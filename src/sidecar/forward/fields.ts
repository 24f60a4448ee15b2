/** Header fields as they were received: name and value in turn, in order, names possibly repeated and in any case. */
export type RawFields = readonly string[]

/** Fields of one connection (RFC 9110 §7.6.1), which are not passed on, with two that are widespread and in no standard. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The pairs of a raw list. */
export function* pairsOf(fields: RawFields): Generator<readonly [name: string, value: string]> {
  for (let place = 0; place + 1 < fields.length; place += 2) {
    yield [fields[place] ?? '', fields[place + 1] ?? '']
  }
}

// Loops over places, not over pairs: each request and each answer passes here.

/** The values of all lines of a field, in order. The name is in lower case. */
export function linesOf(fields: RawFields, name: string): string[] {
  const lines: string[] = []
  for (let place = 0; place + 1 < fields.length; place += 2) {
    const field = fields[place] ?? ''
    if (field.length === name.length && field.toLowerCase() === name) lines.push(fields[place + 1] ?? '')
  }
  return lines
}

/** The fields whose name, in lower case, is not dropped. */
export function withoutFields(fields: RawFields, isDropped: (name: string) => boolean): string[] {
  const kept: string[] = []
  for (let place = 0; place + 1 < fields.length; place += 2) {
    const field = fields[place] ?? ''
    if (!isDropped(field.toLowerCase())) kept.push(field, fields[place + 1] ?? '')
  }
  return kept
}

/**
 * The fields that are passed on: without those of one connection, those that `Connection` names, and the pseudo-fields of
 * HTTP/2.
 */
export function endToEnd(fields: RawFields): string[] {
  const named = linesOf(fields, 'connection')
    .flatMap((line) => line.split(','))
    .map((name) => name.trim().toLowerCase())
  return withoutFields(
    fields,
    (name) => hopByHop.has(name) || name.startsWith(':') || (named.length > 0 && named.includes(name)),
  )
}

/** The lines of each field, by its name in lower case. */
export function groupOf(fields: RawFields): Record<string, string | string[]> {
  const groups: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [field, value] of pairsOf(fields)) {
    const name = field.toLowerCase()
    const before = groups[name]
    groups[name] = before === undefined ? value : [before, value].flat()
  }
  return groups
}

/** What a recipient would take for the head: framing, routing, credentials and the form of the content. */
const ofHeadsAlone =
  /^(host|authorization|cookie|expect|range|max-forwards|cache-control|pragma|if-.*|content-(type|length|encoding|range))$/

/** The trailers of a request that are passed on: none that has to be in its head (RFC 9110 §6.5.1). */
export function trailersOfRequest(fields: RawFields): string[] {
  return withoutFields(endToEnd(fields), (name) => ofHeadsAlone.test(name))
}
