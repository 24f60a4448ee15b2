import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { binary, makeStore } from '../support/cli.js'
import { openTerminal, until } from '../support/terminal.js'

it('exec leaves the keys of a terminal to the command: Ctrl-C comes once, Ctrl-Z and fg work', async () => {
  const cwd = await makeStore(['alice'])
  const count = join(cwd, 'count')
  writeFileSync(count, '')
  const script = [
    `const { appendFileSync } = require('node:fs')`,
    `process.on('SIGINT', () => appendFileSync(${JSON.stringify(count)}, 'x'))`,
    `process.stdin.on('data', (line) => {`,
    `  console.log('read ' + line)`,
    `  if (String(line).trim() === 'finish') process.exit(9)`,
    `})`,
    `console.log('started')`,
  ].join('\n')
  writeFileSync(join(cwd, 'program.cjs'), script)
  const terminal = openTerminal(cwd, 80, 24, 'bash --norc')
  terminal.type(`${process.execPath} ${binary} exec alice -- ${process.execPath} program.cjs; echo code=$?`)
  await until(() => /^started/m.test(terminal.log()))
  terminal.press('C-c')
  await until(() => readFileSync(count, 'utf8') !== '')
  terminal.press('C-z')
  await until(() => terminal.log().includes('Stopped'))
  terminal.type('fg; echo code=$?')
  // The shell names the job as it continues it; before that, it would take the next line for itself.
  await until(() => /fg; echo[^]*exec alice -- /.test(terminal.log()))
  terminal.type('hello')
  await until(() => /^read hello/m.test(terminal.log()))
  terminal.type('finish')
  await until(() => /^code=9/m.test(terminal.log()))
  expect(readFileSync(count, 'utf8')).toBe('x')
}, 120_000)
