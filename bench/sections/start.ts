import { mkdirSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { helper } from '../paths.js'
import { cliIn, execute, inFolder, isThere, usageOf, wallTimeOf, writeMeter, type Run } from '../processes.js'
import { cost, megabytes, milliseconds, type Row, type Scale, type Section, type Unit } from '../report.js'
import { takeRounds, type Sampler } from '../rounds.js'

const nothing = 'node -e 0'
const inOneFile = 'code (single executable)'
const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const pyotpProgram = `import os, pyotp; print(pyotp.TOTP(os.environ['A2A_TOTP_SEED']).now())`

/** The most that a command may cost, as a ratio to `node -e 0`: without any cache, unless it says otherwise. */
const goals: Readonly<Record<string, number>> = {
  code: 1.55,
  'code (from $A2A_TOTP_SEED)': 1.55,
  'code (compile cache)': 1.4,
  [inOneFile]: 3,
}
const goalOfOthers = 1.8
const goalOfMemory = 1.2

/** What `npm run build:binary` made, where it is to be measured too: of the Node that measures. */
const executable = process.env['BENCH_EXECUTABLE']

/** Every local command, and other programs that print a code, as a ratio to a Node that does nothing. */
export const startSection: Section = {
  title: 'Start of a command (wall time of the whole process)',
  run: (scale) => inFolder((folder) => run(folder, scale)),
}

async function run(folder: string, { quick, rounds }: Scale): Promise<readonly Row[]> {
  const commands = commandsIn(folder)
  const everyone = { [nothing]: idle(folder), ...commands, ...others(folder) }
  const samplers = Object.fromEntries(
    Object.entries(everyone).map(([name, next]): [string, Sampler] => [name, wallTimeOf(next)]),
  )
  const samples = await takeRounds(samplers, quick ? 5 : rounds)
  const of = (name: string): { name: string; samples: readonly number[] } => ({
    name,
    samples: samples[name] ?? [],
  })
  const rows = Object.keys(everyone)
    .filter((name) => name !== nothing)
    .map((name) => {
      const goal = name in commands ? (goals[name] ?? goalOfOthers) : undefined
      return cost(of(name), of(nothing), milliseconds, goal)
    })
  // It takes no meter, which only a Node can be told to load.
  const metered = Object.fromEntries(Object.entries(commands).filter(([name]) => name !== inOneFile))
  return [...rows, ...(await usageRows(folder, { [nothing]: idle(folder), ...metered }, quick ? 5 : rounds))]
}

/** A function returns the next run, for commands that cannot be repeated unchanged. */
function commandsIn(folder: string): Record<string, () => Run> {
  const cwd = join(folder, 'store')
  mkdirSync(cwd)
  const cached = cliIn(cwd)
  const cli = (...args: string[]): Run => {
    const run = cached(...args)
    return { ...run, env: { ...run.env, NODE_DISABLE_COMPILE_CACHE: '1' } }
  }
  execute(cli('init'))
  execute(cli('add-peer', 'alice', 'bob', 'carol'))
  let turn = 0
  const removable: string[] = []
  return {
    '--help': () => cli('--help'),
    '--version': () => cli('--version'),
    code: () => cli('code', 'alice'),
    ...('enableCompileCache' in module && { 'code (compile cache)': () => cached('code', 'alice') }),
    ...(executable !== undefined && {
      [inOneFile]: () => ({
        ...cli('code', 'alice'),
        command: executable,
        args: ['--quiet', 'code', 'alice'],
      }),
    }),
    'code (from $A2A_TOTP_SEED)': () => ({
      ...cli('code'),
      cwd: folder,
      env: { A2A_TOTP_SEED: seed, NODE_DISABLE_COMPILE_CACHE: '1' },
    }),
    verify: () => ({ ...cli('verify', '-', 'alice'), input: execute(cli('code', 'alice')) }),
    list: () => cli('list'),
    show: () => cli('show', 'alice'),
    'config server': () => cli('config', 'server'),
    'config client': () => cli('config', 'client', 'alice'),
    'config card': () => cli('config', 'card'),
    init: () => cli('--store', join(folder, `${turn++}.json`), 'init'),
    'add-peer': () => {
      removable.push(`peer-${turn}`)
      return cli('add-peer', `peer-${turn++}`)
    },
    'remove-peer': () => cli('remove-peer', '--yes', removable.pop() ?? 'carol'),
  }
}

function idle(cwd: string): () => Run {
  return () => ({ command: process.execPath, args: ['-e', '0'], cwd })
}

function others(cwd: string): Record<string, () => Run> {
  const env = { A2A_TOTP_SEED: seed }
  const candidates: Readonly<Record<string, Run>> = {
    oathtool: { command: 'oathtool', args: ['--totp', '--base32', '-'], cwd, input: `${seed}\n` },
    'python3 with pyotp': { command: 'python3', args: ['-c', pyotpProgram], cwd, env },
  }
  const here = Object.entries(candidates).filter(([, one]) => {
    const [test] = one.command === 'python3' ? [['-c', 'import pyotp']] : [['--version']]
    return isThere(one.command, test)
  })
  return {
    'node with otplib 13': () => ({
      command: process.execPath,
      args: [helper('servers/otplib-code')],
      cwd,
      env,
    }),
    ...Object.fromEntries(here.map(([name, one]) => [name, () => one])),
  }
}

/** CPU time and peak memory, for which each process carries the same meter. */
async function usageRows(
  folder: string,
  variants: Readonly<Record<string, () => Run>>,
  rounds: number,
): Promise<readonly Row[]> {
  const meter = writeMeter(folder)
  const memory: Record<string, number[]> = {}
  const cpu = await takeRounds(
    Object.fromEntries(
      Object.entries(variants).map(([name, next]): [string, Sampler] => [
        name,
        () => {
          const usage = usageOf(next(), meter, join(folder, 'usage.json'))
          ;(memory[name] ??= []).push(usage.memory)
          return usage.cpu
        },
      ]),
    ),
    rounds,
  )
  const names = Object.keys(variants).filter((name) => name !== nothing)
  const row = (what: string, samples: typeof cpu, name: string, unit: Unit, goal: number): Row =>
    cost(
      { name: `${name}: ${what}`, samples: samples[name] ?? [] },
      { name: nothing, samples: samples[nothing] ?? [] },
      unit,
      goal,
    )
  return [
    ...names.map((name) => row('CPU time', cpu, name, milliseconds, goals[name] ?? goalOfOthers)),
    ...names.map((name) => row('peak memory', memory, name, megabytes, goalOfMemory)),
  ]
}
