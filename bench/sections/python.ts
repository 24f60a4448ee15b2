import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execute, isThere, type Run } from '../processes.js'
import {
  cost,
  microseconds,
  milliseconds,
  type Measured,
  type Row,
  type Scale,
  type Section,
} from '../report.js'
import { takeRounds, type Sampler } from '../rounds.js'

/** One with httpx and Starlette, where the interop tests have made it. */
const interpreters = ['.venvs/a2a-1/bin/python', 'python3']

/** The Python package: its guard in front of an ASGI app without a server, and the CPU time of a process that imports it. */
export const pythonSection: Section = {
  title: 'Python (CPU per request in process; CPU of a process that imports)',
  run(scale) {
    const python = interpreters.find((each) =>
      isThere(each, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']),
    )
    return Promise.resolve(python === undefined ? [] : rowsOf(python, scale))
  },
}

async function rowsOf(python: string, scale: Scale): Promise<readonly Row[]> {
  return [...requestRows(python, scale), ...(await importRows(python, scale))]
}

const bareApp = 'an ASGI app'

function requestRows(python: string, { quick, rounds }: Scale): Row[] {
  const program = [join('bench', 'python', 'requests.py'), String(rounds), quick ? '200' : '1000']
  const samples = JSON.parse(execute(runOf(python, program))) as Readonly<Record<string, readonly number[]>>
  const measured = (name: string, shown = name): Measured => ({ name: shown, samples: samples[name] ?? [] })
  return Object.keys(samples)
    .filter((name) => name !== 'app' && name !== 'Starlette')
    .map((name) =>
      name.startsWith('Starlette')
        ? cost(measured(name), measured('Starlette'), microseconds)
        : cost(measured(name), measured('app', bareApp), microseconds),
    )
}

async function importRows(python: string, { quick, rounds }: Scale): Promise<Row[]> {
  const nothing = 'python -c pass'
  const programs: Record<string, string> = {
    [nothing]: 'pass',
    'import asyncio': 'import asyncio',
    'import a2a_totp.asgi': 'import a2a_totp.asgi',
  }
  if (isThere(python, ['-c', 'import httpx'])) {
    programs['import httpx'] = 'import httpx'
    programs['import a2a_totp.httpx'] = 'import a2a_totp.httpx'
  }
  const samplers = Object.entries(programs).map(([name, text]): [string, Sampler] => {
    const program = `${text}; import time; print(time.process_time() * 1000)`
    return [name, () => Number(execute(runOf(python, ['-c', program])))]
  })
  const samples = await takeRounds(Object.fromEntries(samplers), quick ? 5 : rounds)
  const of = (name: string): Measured => ({ name, samples: samples[name] ?? [] })
  const rows = Object.keys(programs)
    .filter((name) => name !== nothing)
    .map((name) => cost(of(name), of(nothing), milliseconds))
  return 'import httpx' in programs
    ? [...rows, cost(of('import a2a_totp.httpx'), of('import httpx'), milliseconds)]
    : rows
}

const runOf = (python: string, args: readonly string[]): Run => ({
  command: existsSync(python) ? join(process.cwd(), python) : python,
  args,
  cwd: process.cwd(),
  env: { PYTHONPATH: join('python', 'src') },
})
