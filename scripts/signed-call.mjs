// The part of the demo about signed requests.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** As a word of the shell. */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)

/**
 * Signs a call of alice's and sends it twice, the very same; prints what the agent did with each.
 *
 * @param {string} cardUrl of an agent that repeats what it is told
 * @param {{ cli: string, folder: string, env: Record<string, string>, log: (line: string) => void }} run the CLI, and the
 *   folder of the store
 * @returns {Promise<boolean>} whether the first was let in and the second was refused
 */
export async function callTwice(cardUrl, { cli, folder, env, log }) {
  const card = await (await fetch(cardUrl, { headers: { 'A2A-Version': '1.0' } })).json()
  const { url } = card.supportedInterfaces.find(
    ({ protocolBinding, protocolVersion }) => protocolBinding === 'JSONRPC' && protocolVersion === '1.0',
  )
  const message = { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hello' }] }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message } })
  writeFileSync(join(folder, 'call.json'), body)
  const fields = ['--with', 'Content-Type: application/json', '--with', 'A2A-Version: 1.0']
  const args = ['code', 'alice', '--for', 'POST', url, '--body', 'call.json', ...fields, '--json']
  log(`$ a2a-totp ${args.map(quoted).join(' ')} > signed.json`)
  const { status, stdout } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`a2a-totp code ended with ${status}`)
  const { headers } = JSON.parse(stdout)

  const send = async () => {
    const response = await fetch(url, { method: 'POST', headers, body })
    return { status: response.status, answered: (await response.text()).includes('alice said: hello') }
  }
  const [first, second] = [await send(), await send()]
  const letIn = first.status === 200 && first.answered
  const refused = second.status === 401 && !second.answered
  log(`the signed call: ${first.status}, ${letIn ? 'let in' : 'NOT let in'}`)
  log(`the same again:  ${second.status}, ${refused ? 'refused' : 'NOT refused'}\n`)
  return letIn && refused
}
