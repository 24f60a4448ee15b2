import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export interface ActionStep {
  readonly id?: string
  readonly uses?: string
  readonly run?: string
  readonly shell?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Action {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>
  readonly outputs: Readonly<Record<string, { readonly value: string }>>
  readonly runs: { readonly using: string; readonly steps: readonly ActionStep[] }
}

export const actionText = readFileSync(fileURLToPath(new URL('../../action.yml', import.meta.url)), 'utf8')
export const action = parse(actionText) as Action

export interface StepRun {
  readonly exitCode: number | null
  /** What the step printed, as the runner reads it. */
  readonly log: string
  readonly summary: string
  /** By name; a line that is none has the name of itself. */
  readonly outputs: Readonly<Record<string, string>>
}

/** The expressions of a step that its environment needs, evaluated as GitHub does: once, and not within what they give. */
function evaluated(text: string, inputs: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, name: string) => {
    const input = action.inputs[name]
    if (!input) throw new Error(`no input ${name}`)
    return inputs[name] ?? input.default ?? ''
  })
}

/** Runs one step by its id, with the shell, the environment and the files that a runner of GitHub has. */
export async function runStep(
  id: string,
  given: {
    readonly cwd: string
    readonly actionPath: string
    readonly inputs?: Readonly<Record<string, string>>
    readonly env?: Readonly<Record<string, string>>
  },
): Promise<StepRun> {
  const { cwd, actionPath, inputs = {}, env = {} } = given
  const step = action.runs.steps.find((one) => one.id === id)
  if (step?.run === undefined || step.shell !== 'bash') throw new Error(`no step ${id} of bash`)
  const runner = join(cwd, '.runner')
  mkdirSync(join(runner, 'temp'), { recursive: true })
  const [script, summary, output] = ['step.sh', 'summary', 'output'].map((name) => join(runner, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(script, step.run)
  for (const file of [summary, output]) writeFileSync(file, '')
  const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, evaluated(value, inputs)])
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: cwd,
      XDG_CACHE_HOME: '/dev/null',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION_PATH: actionPath,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_OUTPUT: output,
      RUNNER_TEMP: join(runner, 'temp'),
      ...env,
      ...(Object.fromEntries(own) as Record<string, string>),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
  }
  const exitCode = await new Promise<number | null>((done) => child.on('close', done))
  const lines = readFileSync(output, 'utf8').split('\n').filter(Boolean)
  return {
    ...{ exitCode, log, summary: readFileSync(summary, 'utf8') },
    outputs: Object.fromEntries(
      lines.map((line) => {
        const [name = '', ...rest] = line.split('=')
        return [name, rest.join('=')]
      }),
    ),
  }
}
