// Keeps the code that V8 makes of the quick bundle while it runs `code` once, for src/cli/start.ts to use. A process of
// its own, started by the build: the bundle reads the command line and prints.
const { readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { Script } = require('node:vm')

const path = join(__dirname, '../dist/cli/quick.cjs')
const script = new Script(`(function (exports, require, module) {${readFileSync(path, 'utf8')}\n})`, {
  filename: path,
})
const module_ = { exports: {} }
script.runInThisContext()(module_.exports, require, module_)
process.on('exit', () => writeFileSync(`${path}.cache`, script.createCachedData()))
module_.exports.run()
