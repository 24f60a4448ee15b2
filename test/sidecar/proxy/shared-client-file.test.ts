import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { agentIn } from '../../../src/client/file/client-file.js'
import { SharedClientFile } from '../../../src/sidecar/proxy/shared-client-file.js'
import { makeFolder } from '../../support/cli.js'
import { proxied } from '../../support/proxied.js'
import { record } from '../../support/recording-server.js'

const entry = { url: 'https://agent.example', seed: 'A'.repeat(32) }

it('is read once for the start of all its agents, whatever it holds a moment later', async () => {
  const path = join(makeFolder(), 'alice.json')
  const names = ['billing', 'stock', 'orders']
  const agents = Object.fromEntries(names.map((name) => [name, { ...entry, token: `of-${name}` }]))
  writeFileSync(path, JSON.stringify({ version: 1, peer: 'alice', agents }), { mode: 0o600 })
  const file = new SharedClientFile(path)
  file.read()
  writeFileSync(path, 'broken')
  for (const name of names) {
    const source = file.source((content) => agentIn(content, name))
    expect((await source.read()).token.value).toBe(`of-${name}`)
  }
})

it('of an agent that moves leaves it at the old URL, and asks for a restart', async () => {
  await using agent = await record()
  const { change, events, url } = await proxied(undefined, { credentials: { url: agent.origin } })
  change({ url: 'http://127.0.0.1:1' })
  expect(events.at(-1)).toMatchObject({
    type: 'warning',
    message: 'the URL of billing has changed; restart the proxy to call it there',
  })
  expect((await fetch(url, { method: 'POST' })).status).toBe(200)
})
