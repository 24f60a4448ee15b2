import { runProcess } from './process.js'
import { runCommandLine, type CommandList } from './program.js'
import type { System } from './system.js'

/** Every command, in the order of `--help`. */
export const commands: CommandList = {
  init: {
    description: 'create the store: one file with an agent and the peers that may call it',
    load: () => import('./commands/store/init.js'),
  },
  'add-peer': {
    description: 'add peers, each with a seed and a token',
    load: () => import('./commands/peers/add-peer.js'),
  },
  set: {
    description: 'change what was chosen before: of the agent, or of peers',
    load: () => import('./commands/peers/set.js'),
  },
  rename: {
    description: 'rename a peer, or the agent',
    load: () => import('./commands/peers/rename.js'),
  },
  list: {
    aliases: ['ls'],
    description: 'list the peers: credential ids and ages, policies, overlaps',
    load: () => import('./commands/peers/list.js'),
  },
  show: {
    description: 'show one peer: its policy and its credentials, without their values',
    load: () => import('./commands/peers/show.js'),
  },
  code: {
    description: "print a peer's current code",
    load: () => import('./commands/codes/code.js'),
  },
  verify: {
    description: 'check whether a code is currently valid for a peer; for people, uses up no time step',
    load: () => import('./commands/codes/verify.js'),
  },
  exec: {
    description: "run a command with a peer's variables in its environment",
    load: () => import('./commands/codes/exec.js'),
  },
  config: {
    description: 'print what the agent, a peer or the agent card needs',
    load: () => import('./commands/config/config.js'),
  },
  probe: {
    description: 'check that a live agent enforces bearer plus TOTP',
    load: () => import('./commands/probe/probe.js'),
  },
  rotate: {
    description: 'create a new seed and token for peers; the old ones stay valid for a while',
    load: () => import('./commands/rotate/rotate.js'),
  },
  'remove-peer': {
    aliases: ['revoke', 'rm'],
    description: 'remove peers from the store; all of them or none',
    load: () => import('./commands/peers/remove-peer.js'),
  },
  undo: {
    description: 'put the store back as it was before the last change, once',
    load: () => import('./commands/store/undo.js'),
  },
  log: {
    description: 'show the record: who changed what, and when',
    load: () => import('./commands/store/log.js'),
  },
  import: {
    description:
      'add peers from otpauth URIs, a QR code, an otpauth migration, CSV, maps, or JSON from `export`; all or none',
    load: () => import('./commands/transfer/import.js'),
  },
  export: {
    description: "print every peer's newest seed and token; secret, so it requires --reveal",
    load: () => import('./commands/transfer/export.js'),
  },
  encrypt: {
    description: 'encrypt the store with age, or change how it is encrypted',
    load: () => import('./commands/store/encrypt.js'),
  },
  decrypt: {
    description: 'remove the encryption of the store',
    load: () => import('./commands/store/decrypt.js'),
  },
  recipients: {
    description: 'list, add or remove the age recipients that can open the encrypted store',
    load: () => import('./commands/store/recipients.js'),
  },
  doctor: {
    description: 'report risks: file modes, git, weak or old credentials, the clock',
    load: () => import('./commands/doctor.js'),
  },
  demo: {
    description: 'run a real A2A agent on 127.0.0.1, protected by the store',
    load: () => import('./commands/demo.js'),
  },
  proxy: {
    description: 'run a sidecar that adds token, code and proof to the requests of any client',
    load: () => import('./commands/proxy/proxy.js'),
  },
  gate: {
    description:
      'demand both factors in front of an agent, alone or behind nginx, Caddy, Traefik, HAProxy or Envoy',
    load: () => import('./commands/gate/gate.js'),
  },
  mesh: {
    description: 'one file says which peers may call which agents: plan, apply, prove, show',
    load: () => import('./commands/mesh/mesh.js'),
  },
  completion: {
    description: 'print a script that lets a shell complete commands, options and peer names',
    load: () => import('./commands/help/completion.js'),
  },
  help: {
    description: 'show help for a command or a topic',
    load: () => import('./commands/help/help.js'),
  },
  complete: {
    description: 'what a shell may offer for a command line; called by the scripts of completion',
    hidden: true,
    load: () => import('./commands/help/complete.js'),
  },
  'complete-peers': {
    description: '',
    hidden: true,
    load: () => import('./commands/help/complete-peers.js'),
  },
}

/** Runs one command line. Returns its exit code; never throws. */
export const main = (args: readonly string[], system: System): Promise<number> =>
  runCommandLine(commands, args, system)

/** Runs the command line of this process. */
export const run = (): void => runProcess(main)
