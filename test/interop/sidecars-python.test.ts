import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder, parseJson, runBinary } from '../support/cli.js'
import { describeWith, lastLineOf, pythonTests, startPython } from '../support/python.js'
import { policies, seenByClients, startChain } from '../support/sidecar-chain.js'

const cells = ['grpc 0.3', 'grpc 1.0', 'jsonrpc 0.3', 'jsonrpc 1.0', 'rest 0.3', 'rest 1.0']

describeWith('a2a-1', 'a client and an agent on a2a-sdk 1.x that know nothing of codes', () => {
  it.each(policies)('reach each other through both sidecars over every binding: %s', async (_, init) => {
    const { proxy } = await startChain(init)
    const client = startPython('a2a-1', [`${pythonTests}client_unaware.py`, proxy])
    expect(JSON.parse(await lastLineOf(client))).toEqual({
      JSONRPC: seenByClients,
      'HTTP+JSON': seenByClients,
      GRPC: seenByClients,
    })
  })

  it('reach each other by a local token in the URL', async () => {
    const token = randomBytes(16).toString('hex')
    const file = join(makeFolder(), 'local-token')
    writeFileSync(file, token, { mode: 0o600 })
    const { proxy } = await startChain([], ['--local-auth', 'url', '--local-token-file', file])
    const call = (url: string) => startPython('a2a-1', [`${pythonTests}client_unaware.py`, url, 'HTTP+JSON'])
    expect(JSON.parse(await lastLineOf(call(`${proxy}/${token}`)))).toEqual({ 'HTTP+JSON': seenByClients })
    await expect(lastLineOf(call(proxy))).rejects.toThrow('401')
  })

  it('leave nothing to find for the probe', async () => {
    const { cwd, gate } = await startChain(['--strict'])
    const run = await runBinary(['--json', 'probe', gate, 'alice', '--strict'], { cwd })
    const { checks, ok } = parseJson(run) as {
      ok: boolean
      checks: { id: string; status: string; binding: string; protocolVersion: string }[]
    }
    expect(checks.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([])
    const valid = checks.filter(({ id, status }) => id === 'auth.valid' && status === 'pass')
    expect(valid.map((one) => `${one.binding} ${one.protocolVersion}`).sort()).toEqual(cells)
    expect([ok, run.exitCode]).toEqual([true, 0])
  })
})

describeWith('a2a-0.3', 'a client on a2a-sdk 0.3 that knows nothing of codes', () => {
  it('reaches an agent on a2a-sdk 1.x through both sidecars over every binding', async () => {
    const { proxy } = await startChain(['--strict'])
    const client = startPython('a2a-0.3', [`${pythonTests}client_unaware_0_3.py`, proxy])
    const text = 'alice said: hello'
    expect(JSON.parse(await lastLineOf(client))).toEqual({ JSONRPC: text, 'HTTP+JSON': text, GRPC: text })
  })
})
