import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, parseJson, runCli, type CliOptions, type CliRun } from './cli.js'

/** A row of `mesh apply --json`. */
export interface Row {
  readonly agent: string
  readonly peer?: string
  readonly field?: string
  readonly action: string
  readonly done: boolean
  readonly problem?: string
}

/** A folder with a mesh file, and what was made of it. */
export class MeshFolder {
  readonly cwd = makeFolder()
  /** Where it is remembered which commands are allowed. */
  readonly home = makeFolder()

  constructor(document: object | string) {
    this.declare(document)
  }

  /** Writes the file anew, as it is given or as JSON, which is YAML too. */
  declare(document: object | string): void {
    const text = typeof document === 'string' ? document : JSON.stringify({ version: 1, ...document })
    writeFileSync(join(this.cwd, 'mesh.yaml'), text)
  }

  run(args: readonly string[], more: Partial<CliOptions> = {}): Promise<CliRun> {
    const env = { HOME: this.home, PATH: process.env['PATH'] ?? '', ...more.env }
    return runCli(['mesh', ...args], { cwd: this.cwd, ...more, env })
  }

  /** Runs it, and fails unless it exits with 0. */
  async done(...args: string[]): Promise<CliRun> {
    const run = await this.run(args)
    if (run.exitCode !== 0) throw new Error(`${args.join(' ')}: ${run.exitCode} ${run.stdout} ${run.stderr}`)
    return run
  }

  async rows(...args: string[]): Promise<Row[]> {
    return rowsOf(await this.run([...args, '--json']))
  }

  path(name: string): string {
    return join(this.cwd, name)
  }

  text(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : ''
  }

  json(name: string): unknown {
    return JSON.parse(this.text(name))
  }

  server(agent: string): ServerFile {
    return this.json(`out/${agent}.server.json`) as ServerFile
  }

  client(peer: string): ClientFile {
    return this.json(`out/${peer}.client.json`) as ClientFile
  }

  store(agent: string): Store {
    return this.json(`stores/${agent}.json`) as Store
  }
}

export const rowsOf = (run: CliRun): Row[] => parseJson(run)['changes'] as Row[]

export interface ServerFile {
  readonly serial: number
  readonly peers: Readonly<
    Record<
      string,
      {
        readonly seeds: { seed: string; expiresAt?: string }[]
        readonly tokens: { hash: string; expiresAt?: string }[]
      }
    >
  >
}

export interface ClientFile {
  readonly peer: string
  readonly agents: Readonly<
    Record<string, { readonly url: string; readonly token: string; readonly seed: string }>
  >
}

export interface Store {
  readonly peers: Readonly<
    Record<
      string,
      {
        readonly pending?: { readonly step: string }
        readonly seeds: { id: string; seed: string; expiresAt?: string }[]
        readonly tokens: { token: string; expiresAt?: string }[]
      }
    >
  >
}

/** Where files are written, for the defaults of a mesh. */
export const places = { serverFile: 'out/{name}.server.json', clientFile: 'out/{name}.client.json' }

export const agentsOf = (...names: string[]): Record<string, { url: string }> =>
  Object.fromEntries(names.map((name, n) => [name, { url: `http://127.0.0.1:${9000 + n}` }]))
