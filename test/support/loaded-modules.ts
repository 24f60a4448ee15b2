import { isBuiltin } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { runBinary } from './cli.js'

/** What a run of the built CLI loaded, each sorted by name. */
export interface Loaded {
  /** Files of `dist/cli`. */
  readonly bundles: readonly string[]
  /** Modules of Node that were asked for by name. */
  readonly builtins: readonly string[]
  /** Anything else: packages. */
  readonly others: readonly string[]
}

/** Notes what is asked of the module loader. Counted rather than timed: it says the same on every machine. */
const recorder = `
const Module = require('node:module')
const { writeFileSync } = require('node:fs')
const asked = new Set()
const load = Module._load
Module._load = function (request, ...rest) {
  asked.add(request)
  return load.call(this, request, ...rest)
}
process.on('exit', () => writeFileSync(process.env.LOADED_MODULES, JSON.stringify([...asked])))
`

/**
 * Runs a command line of the built CLI and tells what it loaded.
 *
 * @throws when the command did not exit with 0: one that fails early loads little
 */
export async function loadedBy(args: readonly string[], cwd: string, stdin = ''): Promise<Loaded> {
  const preload = join(cwd, 'recorder.cjs')
  const note = join(cwd, 'loaded.json')
  writeFileSync(preload, recorder)
  const env = { NODE_OPTIONS: `--require ${preload}`, LOADED_MODULES: note }
  const { exitCode, stderr } = await runBinary(args, { cwd, env, stdin })
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  const asked = (JSON.parse(readFileSync(note, 'utf8')) as string[]).sort()
  const isBundle = (name: string): boolean => /^\.{1,2}\/.*\.cjs$/.test(name)
  return {
    bundles: asked
      .filter(isBundle)
      .map((name) => basename(name))
      .sort(),
    builtins: asked.filter((name) => isBuiltin(name)),
    others: asked.filter((name) => !isBundle(name) && !isBuiltin(name) && !name.endsWith('bin/a2a-totp.cjs')),
  }
}
