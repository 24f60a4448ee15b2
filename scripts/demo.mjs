// A tour of the main job over the built CLI, in a temporary folder: provision, start a real protected agent, probe it,
// print the report, send one signed request twice. Every command is run as shown, and its real output follows it. The exit
// code is that of the probe, or 1 if the agent did anything else with the signed request than to let it in once.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { callTwice } from './signed-call.mjs'

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

/** Starts the demo agent; resolves once it has printed its card's URL. */
async function startAgent() {
  console.log('$ a2a-totp --quiet demo &')
  const agent = spawn(process.execPath, [cli, '--quiet', 'demo'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: agent.stdout })
  const ready = once(lines, 'line').then(([line]) => line)
  const ended = once(agent, 'exit').then(([status]) => {
    throw new Error(`the demo agent ended with ${status}`)
  })
  const cardUrl = await Promise.race([ready, ended])
  ended.catch(() => undefined)
  console.log(`${cardUrl}\n`)
  return { agent, cardUrl, url: new URL(cardUrl).origin }
}

async function stopAgent(agent) {
  console.log('$ kill %1')
  agent.kill('SIGTERM')
  await once(agent, 'exit')
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
  const { agent, cardUrl, url } = await startAgent()
  try {
    const status = show('probe', url, 'alice')
    console.log(`exit code of the probe: ${status}\n`)
    const onceOnly = await callTwice(cardUrl, { cli, folder, env, log: console.log })
    return onceOnly ? status : status || 1
  } finally {
    await stopAgent(agent)
  }
}

try {
  process.exitCode = await tour()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
