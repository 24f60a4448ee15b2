// A tour of the main job over the built CLI, in a temporary folder: provision, start a real protected agent, probe it,
// print the report, send one signed request twice, call with a client that knows nothing of codes through a proxy. Every
// command is run as shown, and its real output follows it. The exit code is that of the probe, or 1 if the agent did anything
// else with the signed request than to let it in once, or did not answer the client of the proxy.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { callTwice } from './signed-call.mjs'
import { callUnchanged } from './unchanged-client.mjs'

const cli = fileURLToPath(new URL('../bin/a2a-totp.cjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-demo-'))
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('A2A_TOTP_')))

/** Prints a command and its output as a terminal would show them; gives its exit code. */
function show(...args) {
  console.log(`$ a2a-totp ${args.join(' ')}`)
  const { status } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  console.log()
  return status
}

/** Starts a command that serves; resolves once it has printed where, with the first URL. */
async function start(...args) {
  console.log(`$ a2a-totp ${args.join(' ')} &`)
  const server = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: server.stdout })
  const ready = once(lines, 'line').then(([line]) => line)
  const ended = once(server, 'exit').then(([status]) => {
    throw new Error(`a2a-totp ${args.join(' ')} ended with ${status}`)
  })
  const line = await Promise.race([ready, ended])
  ended.catch(() => undefined)
  console.log(`${line}\n`)
  return { server, url: /http:\S+/.exec(line)?.[0] ?? '' }
}

async function stop(server, job) {
  console.log(`$ kill %${job}`)
  if (server.exitCode !== null) return
  server.kill('SIGTERM')
  await once(server, 'exit')
}

/** Whether the client of the SDK, which is told nothing but a URL, reaches the agent as alice. */
async function callThroughProxy(agentUrl) {
  const { server, url } = await start('proxy', agentUrl, 'alice', '--listen', '127.0.0.1:0')
  try {
    console.log(`a client of @a2a-js/sdk without credentials, at ${url}`)
    return await callUnchanged(url, console.log)
  } finally {
    await stop(server, 2)
  }
}

async function tour() {
  for (const command of [
    ['init', '--agent', 'billing', '--signed', 'require'],
    ['add-peer', 'alice', 'bob'],
    ['config', 'client', 'alice', '--out', 'alice.env'],
    ['config', 'server', '--out', 'billing.json'],
    ['config', 'card'],
    ['code', 'alice'],
  ]) {
    const status = show(...command)
    if (status !== 0) throw new Error(`a2a-totp ${command.join(' ')} ended with ${status}`)
  }
  const { server: agent, url: cardUrl } = await start('--quiet', 'demo')
  try {
    const { origin } = new URL(cardUrl)
    const status = show('probe', origin, 'alice')
    console.log(`exit code of the probe: ${status}\n`)
    const onceOnly = await callTwice(cardUrl, { cli, folder, env, log: console.log })
    const reached = await callThroughProxy(origin)
    return onceOnly && reached ? status : status || 1
  } finally {
    await stop(agent, 1)
  }
}

try {
  process.exitCode = await tour()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
