import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { cardPath } from '../../src/core/card/shapes.js'
import { makeStore, parseJson, runBinary, runCli, startBinary } from '../support/cli.js'

interface Started {
  readonly card: string
  readonly interfaces: readonly { url: string; protocolBinding: string; protocolVersion: string }[]
}

async function startDemo(cwd: string, ...args: string[]): Promise<Started> {
  const child = startBinary(['demo', '--json', ...args], { cwd })
  if (!child.stdout) throw new Error('no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return JSON.parse(line) as Started
}

interface Report {
  readonly ok: boolean
  readonly checks: readonly { id: string; binding: string; protocolVersion: string; status: string }[]
}

const inCard = { jsonrpc: 'JSONRPC', rest: 'HTTP+JSON', grpc: 'GRPC' } as const

describe('demo --bindings', () => {
  it.each([['jsonrpc'], ['rest'], ['grpc'], ['rest,jsonrpc'], ['grpc,rest'], ['jsonrpc,rest,grpc']])(
    '%s serves just these: the card names them, and the probe shows them',
    async (list) => {
      const cwd = await makeStore(['alice'])
      const { card, interfaces } = await startDemo(cwd, '--bindings', list)
      const wanted = list.split(',').map((one) => inCard[one as keyof typeof inCard])
      const cells = ['1.0', '0.3'].flatMap((version) => wanted.map((binding) => `${binding} ${version}`))
      const named = interfaces.map((one) => `${one.protocolBinding} ${one.protocolVersion}`)
      expect(named.sort()).toEqual(cells.sort())
      const served = (await (await fetch(card)).json()) as { supportedInterfaces: object[] }
      expect(served.supportedInterfaces).toHaveLength(cells.length)

      const { origin } = new URL(card)
      const run = await runBinary(['probe', origin, 'alice', '--json'], { cwd })
      const report = parseJson(run) as unknown as Report
      expect([run.exitCode, report.ok]).toEqual([0, true])
      const shown = report.checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
      const bindings = shown.map(({ binding, protocolVersion }) => `${binding}/${protocolVersion}`).sort()
      const expected = ['1.0', '0.3'].flatMap((version) => list.split(',').map((one) => `${one}/${version}`))
      expect(bindings).toEqual(expected.sort())
      expect(report.checks.find(({ id }) => id === 'coverage')).toMatchObject({ status: 'pass' })

      const paths = { jsonrpc: '/a2a/jsonrpc', rest: '/a2a/rest/tasks/1' }
      const headers = (await runCli(['code', 'alice', '--headers'], { cwd })).stdout.trim().split('\n')
      for (const [binding, path] of Object.entries(paths)) {
        if (list.includes(binding)) continue
        const init = { method: 'POST', headers: headers.map((line) => line.split(': ') as [string, string]) }
        expect((await fetch(origin + path, init)).status).toBe(404)
      }
      expect(card).toBe(origin + cardPath)
    },
  )

  it.each(['', 'jsonrpc,', 'rest,rest', 'JSONRPC', 'jsonrpc, rest', 'soap', 'rest,soap'])(
    'refuses %j',
    async (list) => {
      const run = await runCli(['demo', '--bindings', list], { cwd: await makeStore(['alice']) })
      expect(run).toMatchObject({ exitCode: 2, stdout: '' })
      expect(run.stderr).toMatch(
        /^error: --bindings must be some of jsonrpc,rest,grpc, each once(; did you mean (jsonrpc|rest)\?)? \(ERR_USAGE\)\n$/,
      )
    },
  )
})
