'use strict'
// Run by the Node that the executable is made of: wraps each bundle as a function, and compiles it as that Node will.
const { mkdirSync, readdirSync, readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { Script } = require('node:vm')

const [, , from, to] = process.argv
mkdirSync(to, { recursive: true })
for (const name of readdirSync(from).filter((one) => one.endsWith('.cjs'))) {
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(join(from, name), 'utf8')}\n})`
  writeFileSync(join(to, name), source)
  writeFileSync(join(to, `${name}.cache`), new Script(source).createCachedData())
}
