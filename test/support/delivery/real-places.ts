import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { freePort } from '../free-ports.js'
import { tokenAndSeed, type Place } from './place.js'
import { addProgram, run, searchPath } from './programs.js'
import { blockIn } from './recipes.js'

/** An account on another host, without a port: each connection starts its own sshd. */
export function sshAccount(folder: string): Place {
  const home = join(folder, 'peer')
  mkdirSync(home)
  for (const name of ['host', 'user'])
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', name], folder)
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const server = [
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/user.pub`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    `ForceCommand cd ${home} && exec sh -c "$SSH_ORIGINAL_COMMAND"`,
  ]
  const client = [
    `ProxyCommand /usr/sbin/sshd -i -f ${folder}/sshd_config`,
    `User ${userInfo().username}`,
    `IdentityFile ${folder}/user`,
    `UserKnownHostsFile ${folder}/known_hosts`,
  ]
  writeFileSync(join(folder, 'sshd_config'), server.join('\n'))
  writeFileSync(join(folder, 'ssh_config'), client.join('\n'))
  writeFileSync(
    join(folder, 'known_hosts'),
    `alice.example ${readFileSync(join(folder, 'host.pub'), 'utf8')}`,
  )
  // ssh itself looks for its settings in the home that the system knows, and not in $HOME.
  const ssh = `/usr/bin/ssh -F ${folder}/ssh_config "$@"`
  addProgram(folder, 'ssh', `exec ${ssh}`)
  return {
    env: { PEER_HOST: 'alice.example' },
    delivered: () => {
      const kept = readdirSync(join(home, 'a2a-totp')).filter((name) => !name.endsWith('.new'))
      return kept.map((name) => readFileSync(join(home, 'a2a-totp', name), 'utf8')).join('and another one\n')
    },
    // The connection breaks after 40 bytes.
    fail: () => addProgram(folder, 'ssh', `head -c 40 | ${ssh}`),
  }
}

/** An identity of age, and its recipient. */
export function ageIdentity(folder: string): { key: string; recipient: string } {
  run('age-keygen', ['-o', 'key.txt'], folder)
  return { key: join(folder, 'key.txt'), recipient: run('age-keygen', ['-y', 'key.txt'], folder) }
}

/** Amazon's services, as moto plays them; `read` are the arguments that read what was delivered. */
export async function amazon(read: readonly string[]): Promise<Place> {
  const server = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void server.kill('SIGKILL'))
  let url: string | undefined
  for await (const line of createInterface({ input: server.stderr })) {
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
    if (url !== undefined) break
  }
  server.stderr.resume()
  const env = {
    AWS_ENDPOINT_URL: url ?? '',
    AWS_ACCESS_KEY_ID: 'mock',
    AWS_SECRET_ACCESS_KEY: 'mock',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_MAX_ATTEMPTS: '1',
  }
  return {
    env,
    delivered: () => run('aws', [...read, '--output', 'text'], '/', env),
    fail: () => void server.kill('SIGKILL'),
  }
}

/** A development server of OpenBao, which keeps nothing on disk. */
export async function openBao(folder: string): Promise<Place> {
  const address = `127.0.0.1:${await freePort()}`
  const server = spawn(
    'bao',
    ['server', '-dev', '-dev-no-store-token', '-dev-root-token-id=root', `-dev-listen-address=${address}`],
    { cwd: folder, env: { PATH: searchPath(folder), HOME: folder }, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  onTestFinished(() => void server.kill())
  for await (const line of createInterface({ input: server.stdout })) if (line.includes('Root Token')) break
  server.stdout.resume()
  const env = { BAO_ADDR: `http://${address}`, BAO_TOKEN: 'root' }
  const read = ['kv', 'get', '-mount=secret', '-field=fragment', 'a2a-totp/billing/alice']
  return {
    env,
    delivered: () => run('bao', read, folder, env),
    fail: () => void run('bao', ['operator', 'seal'], folder, env),
  }
}

/** The digest of token and seed, as Terraform computes it below. */
const digestOf = (fragment: string): string => {
  const [seed = '', token = ''] = tokenAndSeed(fragment).split('\n')
  const values = [token, seed].map((line) => line.slice(line.indexOf('=') + 1))
  return createHash('sha256').update(values.join(' ')).digest('hex')
}

/** The variables of the page, and a resource that needs no provider: it compares digests. */
export function terraform(folder: string): Place {
  const variables = blockIn('hcl').split('\nresource ')[0] ?? ''
  const resource = `
variable "digest" { type = string }
resource "terraform_data" "alice" {
  triggers_replace = "\${var.a2a_totp_version} \${var.digest}"
  lifecycle {
    precondition {
      condition     = sha256("\${var.a2a_totp.token} \${var.a2a_totp.seed}") == var.digest
      error_message = "something else arrived"
    }
  }
}
`
  writeFileSync(join(folder, 'main.tf'), `${variables}${resource}`)
  run('terraform', ['init', '-input=false'], folder)
  return {
    prepare: (fragment) => {
      const digest = JSON.stringify({ digest: digestOf(fragment) })
      writeFileSync(join(folder, 'digest.auto.tfvars.json'), digest)
    },
    delivered: () => {
      const state = readFileSync(join(folder, 'terraform.tfstate'), 'utf8')
      return /"value": "\d+ ([0-9a-f]{64})"/.exec(state)?.[1] ?? state
    },
    expected: digestOf,
    fail: () => rmSync(join(folder, 'main.tf')),
  }
}
