import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { binary, makeFolder, makeStore, parseJson, runBinary, startBinary } from '../support/cli.js'

const env = { A2A_TOTP_SEED: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }

describe('the built binary', () => {
  it('does the job of the commands', async () => {
    const cwd = makeFolder()
    expect((await runBinary(['init', '--agent', 'billing'], { cwd })).stdout).toBe(
      `${join(cwd, 'a2a-totp.json')}\n`,
    )
    expect((await runBinary(['add-peer', 'alice'], { cwd })).exitCode).toBe(0)
    expect((await runBinary(['code', 'alice'], { cwd })).stdout).toMatch(/^\d{6}\n$/)
    expect(await runBinary(['show', 'bob'], { cwd })).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await runBinary(['code', '--digits'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' })
    expect((await runBinary(['verify', '-', '--at', '59'], { cwd, env, stdin: '287082' })).exitCode).toBe(0)
  })

  it('ends quietly when nobody reads on', () => {
    const cwd = makeFolder()
    const script = `"${process.execPath}" "${binary}" code --watch | head -n 1; echo "\${PIPESTATUS[0]}"`
    const output = execFileSync('bash', ['-c', `${script} 2>&1`], {
      cwd,
      env: { ...env, A2A_TOTP_PERIOD: '10', PATH: process.env['PATH'] ?? '' },
      timeout: 25_000,
    }).toString()
    expect(output).toMatch(/^\d{6}\n0\n$/)
  })

  it.each([
    ['the answer is no', 'verify 000000 --at 59', 1],
    ['the command line is wrong', 'code --digits 2>&1 >/dev/null', 2],
  ])('says with its exit code that %s, also where nobody reads that', (_, args, exitCode) => {
    const command = `"${process.execPath}" "${binary}" ${args}; echo "$?" >&3`
    const output = execFileSync('bash', ['-c', `{ { sleep 1; ${command}; } | true; } 3>&1`], {
      cwd: makeFolder(),
      env: { ...env, PATH: process.env['PATH'] ?? '' },
      timeout: 25_000,
    }).toString()
    expect(output).toBe(`${exitCode}\n`)
  })

  it('loses nothing where the pipe is full and does not block', async () => {
    const cwd = await makeStore(Array.from({ length: 500 }, (_, n) => `peer-${n}`))
    const node = `"${process.execPath}"`
    // Another process that holds the same pipe, and lets it block again only when it ends.
    const unblock = `new (require('node:net').Socket)({ fd: 1, readable: false }); setTimeout(() => {}, 3000)`
    const script = `{ ${node} -e "${unblock}" & sleep 1; ${node} "${binary}" list --json; wait; } | { sleep 2; cat; }`
    const output = execFileSync('bash', ['-c', script], { cwd, timeout: 25_000 }).toString()
    expect(output.length).toBeGreaterThan(128 * 1024)
    expect(parseJson({ stdout: output })['peers']).toHaveLength(500)
  })

  it.skipIf(!existsSync('/dev/full'))('says when its result could not be written', () => {
    const run = (args: string): string => {
      const script = `"${process.execPath}" "${binary}" ${args} >/dev/full; echo $?`
      return execFileSync('bash', ['-c', `( ${script} ) 2>&1`], { cwd: makeFolder(), env }).toString()
    }
    expect(run('code')).toMatch(/^(valid for \d+ s\n)?error: cannot write .*ENOSPC.*\n3\n$/)
    expect(run('code --json')).toMatch(
      /^\{"error":\{"code":"ERR_FILE_UNWRITABLE","message":"cannot .*"\}\}\n3\n$/,
    )
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends a watch on %s with %i', async (signal, exitCode) => {
    const child = startBinary(['code', '--watch', '--json'], { cwd: makeFolder(), env })
    const [line] = (await once(createInterface({ input: child.stdout ?? process.stdin }), 'line')) as [string]
    expect(line).toMatch(/^\{"peer":null,"code":"\d{6}",/)
    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([exitCode, null])
  })

  it('prints a line per time step where no terminal is', async () => {
    const child = startBinary(['code', '--watch'], {
      cwd: makeFolder(),
      env: { ...env, A2A_TOTP_PERIOD: '10' },
    })
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
      lines.push(line)
      if (lines.length === 2) break
    }
    child.kill('SIGTERM')
    expect(lines.every((line) => /^\d{6}$/.test(line))).toBe(true)
    expect(lines[0]).not.toBe(lines[1])
  }, 30_000)

  it('waits for a code that lives long enough', async () => {
    const run = await runBinary(['code', '--min-remaining', '9', '--json'], {
      cwd: makeFolder(),
      env: { ...env, A2A_TOTP_PERIOD: '10' },
    })
    expect(parseJson(run)['expiresIn']).toBeGreaterThanOrEqual(9)
  }, 30_000)

  it('is started by a file that does nothing but require the bundle', () => {
    const code = readFileSync(binary, 'utf8').trim().split('\n')
    expect(code).toEqual(['#!/usr/bin/env node', "'use strict'", "require('../dist/cli/start.cjs').run()"])
  })
})
