import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { binary, makeStore, runCli } from '../support/cli.js'
import { openTerminal, until } from '../support/terminal.js'

const installed = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0

const shells = {
  bash: { start: 'bash --norc --noprofile', load: 'PS1="> "; source ./script; clear' },
  zsh: {
    start: 'zsh -f',
    load: 'PS1="> "; autoload -U compinit && compinit -u -D; source ./script; clear',
  },
  fish: { start: 'fish --no-config', load: 'source ./script; clear' },
} as const

/** A shell at a real terminal, with the program on its path and its script loaded. */
async function shellIn(shell: keyof typeof shells) {
  const cwd = await makeStore(['alice', 'alan', 'bob'])
  mkdirSync(join(cwd, 'bin'))
  writeFileSync(join(cwd, 'bin', 'a2a-totp'), `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`)
  chmodSync(join(cwd, 'bin', 'a2a-totp'), 0o755)
  writeFileSync(join(cwd, 'script'), (await runCli(['completion', shell], { cwd })).stdout)
  const { start, load } = shells[shell]
  const terminal = openTerminal(cwd, 100, 40, `env PATH='${join(cwd, 'bin')}':"$PATH" ${start}`)
  terminal.type('echo read""y')
  await until(() => terminal.screen().includes('\nready'))
  terminal.type(load)
  await until(() => !terminal.screen().includes('ready'))
  return terminal
}

describe.each(Object.keys(shells) as (keyof typeof shells)[])('Tab in %s', (shell) => {
  // .ci/run installs all three.
  const skipped = !installed(shell) && process.env['CI'] === undefined
  it.skipIf(skipped)(
    'completes a value after =, a list, and a peer (skipped without the shell)',
    async () => {
      for (const [typed, whole] of [
        ['a2a-totp probe --format=sa', 'a2a-totp probe --format=sarif'],
        ['a2a-totp probe --only auth.valid,tl', 'a2a-totp probe --only auth.valid,tls'],
        ['a2a-totp config client ali', 'a2a-totp config client alice'],
        ['a2a-totp --store=./a2a-totp.json rm bo', 'a2a-totp --store=./a2a-totp.json rm bob'],
      ] as const) {
        const terminal = await shellIn(shell)
        terminal.press(typed)
        await until(() => terminal.screen().includes(typed))
        terminal.press('Tab')
        await until(() => terminal.screen().includes(`${whole} `) || terminal.screen().includes(`${whole}\n`))
        terminal.hangUp()
      }
    },
  )
})
