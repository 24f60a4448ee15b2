'use strict'
// The entry of the single executable. The bundles of dist/cli are its assets, each with the code that V8 compiled from it
// when the executable was built, and they find each other by the names that they have there.
const { getAsset, getRawAsset } = require('node:sea')
const { dirname, join } = require('node:path')
const { Script } = require('node:vm')

/** Where the bundles believe that they are: nothing is there. */
const folder = join(dirname(process.execPath), '.a2a-totp-bundles')
const loaded = new Map()

function load(name) {
  const known = loaded.get(name)
  if (known) return known.exports
  const filename = join(folder, name)
  const module = { exports: {}, filename }
  loaded.set(name, module)
  const script = new Script(getAsset(name, 'utf8'), {
    filename,
    cachedData: Buffer.from(getRawAsset(`${name}.cache`)),
    importModuleDynamically: undefined,
  })
  script.runInThisContext()(module.exports, needed, module, filename, folder)
  return module.exports
}

function needed(id) {
  if (id.startsWith('./')) return load(id.slice(2))
  return id === 'node:worker_threads' ? threads() : require(id)
}

/** A thread whose file is one of the bundles runs this program again, for that bundle. */
function threads() {
  const original = require('node:worker_threads')
  class Worker extends original.Worker {
    constructor(file, options) {
      const name =
        typeof file === 'string' && dirname(file) === folder ? file.slice(folder.length + 1) : undefined
      if (name === undefined) super(file, options)
      else
        super(`globalThis.a2aTotpBundle = ${JSON.stringify(name)}\n${getAsset('main', 'utf8')}`, {
          ...options,
          eval: true,
        })
    }
  }
  return { ...original, Worker }
}

const { a2aTotpBundle: bundle } = globalThis
if (bundle === undefined) load('main.cjs').run()
else load(bundle)
