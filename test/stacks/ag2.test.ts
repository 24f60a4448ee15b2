import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startSidecar } from '../support/sidecar-chain.js'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack, probeStack, serveApp } from '../support/stacks.js'

const clientOfPage = 'httpx_client_factory=make_client'

/** The client of the page, as its last point says for gRPC. */
function writeGrpcClient(cwd: string): string {
  const page = readFileSync(join(cwd, 'client.py'), 'utf8')
  const [before, after = ''] = page.split(clientOfPage)
  const grpc = 'prefer="grpc", grpc_channel_factory=totp_channel_factory(credentials)'
  const program = 'client_grpc.py'
  writeFileSync(
    join(cwd, program),
    `from a2a_totp.grpc import totp_channel_factory\n${String(before)}${clientOfPage}, ${grpc}${after}`,
  )
  return program
}

describeStack('ag2', () => {
  it('an agent passes the probe, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('ag2')
    const { origin } = await serveStack('ag2', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['jsonrpc 1.0'])
  })

  it.each(clientRuns)('a client is let in %s', async (_, init) => {
    const cwd = await makeStackFolder('ag2', init)
    const { origin } = await serveStack('ag2', cwd)
    expect(await runAs('ag2', 'bob', { cwd, url: origin })).toEqual([
      'heard: What is due?',
      'heard: And in May?',
    ])
  })

  it.each(clientRuns)('behind the gate a client is let in over gRPC %s', async (_, init) => {
    const cwd = await makeStackFolder('ag2', init)
    const { origin } = await serveApp('ag2', 'behind_gate:app', { path: cwd })
    const card = (await (await fetch(`${origin}/.well-known/agent-card.json`)).json()) as {
      supportedInterfaces: { url: string; protocolBinding: string }[]
    }
    const grpc = card.supportedInterfaces.find(({ protocolBinding }) => protocolBinding === 'GRPC')?.url
    const gate = await startSidecar(cwd, 'gate', [
      ...['--upstream', origin, '--grpc-upstream', `http://${String(grpc)}`],
      ...['--server-file', 'server.json', '--listen', '127.0.0.1:0'],
    ])
    expect(await runAs('ag2', 'bob', { cwd, url: gate, program: writeGrpcClient(cwd) })).toEqual([
      'heard: What is due?',
      'heard: And in May?',
    ])
    const { cells, findings } = await probeStack({ cwd }, gate, '--isolation', '--other-peer', 'bob')
    expect(cells).toEqual(['grpc 1.0', 'jsonrpc 1.0'])
    // As the page says: the agent does not learn who called.
    expect(findings.map(({ id }) => id)).toEqual(['isolation', 'isolation'])
  })
})
