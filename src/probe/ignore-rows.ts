import { TOTPError } from '../core/errors.js'
import { parseRfc3339 } from '../core/instant.js'
import { asText, isObject, requireJson, type JsonObject } from '../core/json.js'
import { cellCheckIds, checkIds, type CheckId } from './check-ids.js'
import type { IgnoreRow } from './options.js'

const fields: readonly string[] = ['id', 'cell', 'reason', 'expires']

/** Written as the columns of a report are: `rest/1.0`. */
const cellName = /^(jsonrpc|rest|grpc)\/(1\.0|0\.3)$/

/**
 * Parses what is ignored: a JSON array of `{ id, cell?, reason, expires }`.
 *
 * @throws {TOTPError} `ERR_USAGE` for anything else, with the number of the row: an unknown check or field, a cell that
 *   there cannot be, a row without a reason or without an RFC 3339 expiry.
 */
export function parseIgnoreRows(text: string): readonly IgnoreRow[] {
  const what = 'the file given to --ignore'
  const rows = requireJson(
    text.replace(/^\ufeff/, ''),
    what,
    (message) => new TOTPError('ERR_USAGE', message),
  )
  if (!Array.isArray(rows)) {
    throw new TOTPError('ERR_USAGE', `${what} is not a JSON array; expected [{"id", "reason", "expires"}]`)
  }
  return rows.map((row: unknown, index) => {
    if (!isObject(row)) throw wrong(index, 'is not an object')
    return parseRow(row, (what) => wrong(index, what))
  })
}

function parseRow(row: JsonObject, refuse: (what: string) => TOTPError): IgnoreRow {
  if (Object.keys(row).some((field) => !fields.includes(field))) {
    throw refuse(`has an unknown field; the fields are ${fields.join(', ')}`)
  }
  const id = checkIds.find((known) => known === row['id'])
  if (id === undefined) throw refuse(`has no check with such an id; the checks are ${checkIds.join(', ')}`)
  const reason = asText(row['reason']).trim()
  if (reason === '') throw refuse('has no reason; say why this may be ignored')
  const expires = parseRfc3339(asText(row['expires']))
  if (expires === undefined)
    throw refuse('has no expiry; expected a time like 2030-01-31T00:00:00Z (RFC 3339)')
  const cell = row['cell'] === undefined ? undefined : parseCell(row['cell'], id, refuse)
  return { id, reason, expires, ...(cell !== undefined && { cell }) }
}

function parseCell(given: unknown, id: CheckId, refuse: (what: string) => TOTPError): string {
  if (!cellName.test(asText(given))) {
    throw refuse(
      'has an unknown cell; expected jsonrpc, rest or grpc, a slash, and 1.0 or 0.3, like rest/1.0',
    )
  }
  if (!cellCheckIds.some((known) => known === id)) {
    throw refuse(`has a cell, but ${id} concerns the agent as a whole; remove the cell`)
  }
  return asText(given)
}

function wrong(index: number, what: string): TOTPError {
  return new TOTPError('ERR_USAGE', `row ${index + 1} of the file given to --ignore ${what}`)
}
