// Loaded into every process of a recorded run, with `node --require`: notes down each seed and token that is made or
// used, what the processes that it starts print, and each error that is raised. `scan.ts` reads the notes.
'use strict'

const childProcess = require('node:child_process')
const crypto = require('node:crypto')
const { openSync, writeSync } = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const { join } = require('node:path')
const { inspect } = require('node:util')

const folder = process.env.SECRECY_NOTES
const preload = `--require ${JSON.stringify(__filename)}`

const noted = new Set()

/** Opened before anything else happens: the process may become another user's. */
const file = folder && openSync(join(folder, `${process.pid}-${crypto.randomUUID()}.ndjson`), 'a', 0o600)

/** At once, and past every stream: the process may be killed at any moment. */
function note(entry) {
  writeSync(file, `${JSON.stringify(entry)}\n`)
}

function noteSecret(kind, value) {
  const key = `${kind} ${value}`
  if (noted.has(key)) return
  noted.add(key)
  note({ kind, value })
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')

/** Seeds have 20, 32 or 64 bytes, and tokens 32. */
function recordMaking() {
  const { randomBytes } = crypto
  crypto.randomBytes = (size, ...rest) => {
    const bytes = randomBytes(size, ...rest)
    if (rest.length === 0 && [20, 32, 64].includes(size)) {
      noteSecret('seed', hex(bytes))
      if (size === 32) noteSecret('token', `a2at_${bytes.toString('base64url')}`)
    }
    return bytes
  }
}

/** Whoever makes or checks a code has the seed as the key of an HMAC, and whoever checks a token hashes it. */
function recordUse() {
  const { createHmac, hash } = crypto
  crypto.createHmac = (algorithm, key, ...rest) => {
    if (ArrayBuffer.isView(key)) noteSecret('seed', hex(key))
    return createHmac(algorithm, key, ...rest)
  }
  crypto.hash = (algorithm, text, ...rest) => {
    if (typeof text === 'string' && /^[A-Za-z0-9\-._~+]+=*$/.test(text)) noteSecret('token', text)
    return hash(algorithm, text, ...rest)
  }
}

let children = 0

function noteOutput(argv, child, stream, chunk) {
  if (chunk?.length > 0)
    note({ kind: 'output', argv, child, stream, text: Buffer.from(chunk).toString('latin1') })
}

/** The same options, for a child that is recorded as well. */
function recorded(options = {}) {
  const env = { ...(options.env ?? process.env) }
  env.NODE_OPTIONS = env.NODE_OPTIONS?.includes(preload)
    ? env.NODE_OPTIONS
    : `${preload} ${env.NODE_OPTIONS ?? ''}`
  return { ...options, env: { ...env, SECRECY_NOTES: folder } }
}

/** `(command, options)` and `(command, args, options)`, as node:child_process takes them. */
function recordChildren() {
  const { spawn, spawnSync, execFileSync } = childProcess
  const parse = (args, options) => (Array.isArray(args) ? [args, options] : [[], args])

  childProcess.spawn = (command, args, options) => {
    const [words, given] = parse(args, options)
    const child = spawn(command, words, recorded(given))
    const number = ++children
    for (const stream of ['stdout', 'stderr']) {
      const readable = child[stream]
      if (!readable) continue
      // Whoever reads the stream gets the same chunks, whenever and however it does.
      const push = readable.push
      readable.push = function (chunk, ...rest) {
        noteOutput([command, ...words], number, stream, chunk)
        return push.call(this, chunk, ...rest)
      }
    }
    return child
  }

  const noteResult = (argv, { stdout, stderr }) => {
    const number = ++children
    noteOutput(argv, number, 'stdout', stdout)
    noteOutput(argv, number, 'stderr', stderr)
  }
  childProcess.spawnSync = (command, args, options) => {
    const [words, given] = parse(args, options)
    const result = spawnSync(command, words, recorded(given))
    noteResult([command, ...words], result)
    return result
  }
  childProcess.execFileSync = (command, args, options) => {
    const [words, given] = parse(args, options)
    try {
      const stdout = execFileSync(command, words, recorded(given))
      noteResult([command, ...words], { stdout })
      return stdout
    } catch (error) {
      noteResult([command, ...words], error)
      throw error
    }
  }
}

/** Whether or not it is ever printed: its message, and its cause as a log would show it. */
function recordErrors() {
  let busy = false
  const record = (error) => {
    if (busy) return
    busy = true
    try {
      const cause = error.cause === undefined ? '' : inspect(error.cause, { depth: 8 })
      const [, at] = (error.stack ?? '').match(/^ +at (?!.*recorder\.cjs)(.*)$/m) ?? []
      note({ kind: 'raised', name: error.name, text: `${error.message}\n${cause}`, at })
    } finally {
      busy = false
    }
  }
  for (const name of ['Error', 'AggregateError', 'RangeError', 'SyntaxError', 'TypeError']) {
    const original = globalThis[name]
    const build = (target, args, newTarget) => {
      const error = Reflect.construct(target, args, newTarget)
      record(error)
      return error
    }
    globalThis[name] = new Proxy(original, {
      construct: build,
      apply: (target, _self, args) => build(target, args, target),
    })
    original.prototype.constructor = globalThis[name]
  }
}

/** The runner itself hashes paths, and its output is read by whoever started it. */
const isRunner = /vitest\.mjs$/.test(process.argv[1] ?? '')

if (folder && !isRunner) {
  recordMaking()
  recordUse()
  recordErrors()
  recordChildren()
  syncBuiltinESMExports()
  // For what happens inside this process: see setup.ts, and `runCli`.
  globalThis[Symbol.for('secrecy')] = {
    noteSecret,
    noteRun(args, { stdout, stderr }) {
      const number = ++children
      noteOutput(['a2a-totp', ...args], number, 'stdout', stdout)
      noteOutput(['a2a-totp', ...args], number, 'stderr', stderr)
    },
  }
}
