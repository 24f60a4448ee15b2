import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ProbeReport } from '../../src/probe/index.js'
import type { Quirks, Seen } from '../support/broken-agent.js'
import { findingsByCell, probeAgent } from '../support/probing.js'

const isMalformed = ({ codes }: Seen): boolean => codes.length === 1 && !/^\d{6}$/.test(codes[0] ?? '')
const isDoubled = ({ codes, authorization }: Seen): boolean => codes.length > 1 || authorization.length > 1

/** Answers some requests that are no proper ones like this, and everything else well. */
const answering = (
  isMeant: (seen: Seen) => boolean,
  answer: (response: ServerResponse, seen: Seen) => void,
): Quirks => ({
  answers: (response, { binding, version }, seen) => {
    if (binding !== 'jsonrpc' || version !== '1.0' || !isMeant(seen)) return false
    answer(response, seen)
    return true
  },
})

/** More than is read of an answer. */
const long = 'x'.repeat(200 * 1024)

const json =
  (status: number, coding?: string, more = '') =>
  (response: ServerResponse): void => {
    const headers = { 'Content-Type': 'application/json', ...(coding && { 'Content-Encoding': coding }) }
    response.writeHead(status, headers)
    response.end(`{"jsonrpc":"2.0","id":1,"result":{"id":"t","history":"${more}"}}`)
  }

const probed = async (quirks: Quirks): Promise<ProbeReport> =>
  (await probeAgent(quirks, { binding: 'jsonrpc', protocol: '1.0' })).report

const verdict = ({ checks }: ProbeReport, id: string): string | undefined =>
  checks.find((check) => check.id === id)?.status

describe('an answer that could not be read to the end', () => {
  it('is a server error where its status says so, and is searched for secrets', async () => {
    const report = await probed(
      answering(isMalformed, (response, { authorization }) => {
        response
          .writeHead(500, { 'Content-Type': 'text/html' })
          .end(`<pre>${authorization.join()}</pre>${long}`)
      }),
    )
    expect(findingsByCell(report)['jsonrpc 1.0']).toMatchObject({ status: 'fail', leak: 'fail' })
  })

  it.each<[string, string, Quirks]>([
    ['that is too long', 'auth.malformed-code', answering(isMalformed, json(200, undefined, long))],
    ['in a coding that is not known', 'auth.duplicate-header', answering(isDoubled, json(200, 'zstd'))],
    ['in another coding than it says', 'auth.malformed-code', answering(isMalformed, json(200, 'gzip'))],
  ])('is no refusal by hanging up: a success %s', async (_, id, quirks) => {
    const report = await probed(quirks)
    expect(findingsByCell(report)['jsonrpc 1.0']).toHaveProperty(id, 'fail')
    expect(verdict(report, 'leak')).toBe('skip')
  })

  it('may be a refusal of what is malformed, where its status says so', async () => {
    const report = await probed(answering(isMalformed, json(400, undefined, long)))
    expect(findingsByCell(report)['jsonrpc 1.0']).toEqual({ 'auth.malformed-code': 'warn' })
    expect(verdict(report, 'leak')).toBe('skip')
  })
})

it('a connection that is closed without an answer refuses what is malformed', async () => {
  const report = await probed(answering(isMalformed, (response) => response.socket?.destroy()))
  expect(findingsByCell(report)['jsonrpc 1.0']).toEqual({})
  expect(verdict(report, 'leak')).toBe('pass')
})
