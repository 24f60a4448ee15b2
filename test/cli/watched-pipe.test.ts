import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { binary, makeStore, startBinary } from '../support/cli.js'

const linux = process.platform === 'linux'

/** Seconds that a pipeline of a shell takes until all of it has ended, and what it prints. */
async function piped(cwd: string, args: string): Promise<{ text: string; seconds: number; status: string }> {
  const begun = performance.now()
  const line = `"${process.execPath}" "${binary}" ${args} | head -1; echo "status \${PIPESTATUS[0]}"`
  const shell = spawn('bash', ['-c', line], { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: cwd } })
  onTestFinished(() => void shell.kill('SIGKILL'))
  let text = ''
  shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(shell, 'close')
  const [, status = ''] = /status (\d+)/.exec(text) ?? []
  return { text, status, seconds: (performance.now() - begun) / 1000 }
}

describe.skipIf(!linux || spawnSync('bash', ['-c', 'true']).status !== 0)('a reader that has gone', () => {
  it.each(['code alice --watch', 'code alice --watch --json', 'code alice --watch --headers'])(
    'ends `%s`, long before the next time step',
    async (args) => {
      // Time steps of two minutes: a watch that waited for the next one would take as long.
      const cwd = await makeStore()
      const run = spawnSync(process.execPath, [binary, 'add-peer', 'alice', '--period', '120'], { cwd })
      expect(run.status).toBe(0)
      const { text, seconds, status } = await piped(cwd, args)
      expect(text).toMatch(/\d{6}/)
      expect(status).toBe('0')
      expect(seconds).toBeLessThan(30)
    },
  )

  it('is noticed where standard output is a socket, as under Node.js', async () => {
    const cwd = await makeStore()
    spawnSync(process.execPath, [binary, 'add-peer', 'alice', '--period', '120'], { cwd })
    const watch = startBinary(['code', 'alice', '--watch'], { cwd })
    const ended = once(watch, 'exit') as Promise<[number]>
    watch.stdout?.once('data', () => watch.stdout?.destroy())
    expect(await ended).toEqual([0, null])
  })

  it('is not missed where there is one that reads slowly', async () => {
    const cwd = await makeStore(['alice'])
    const watch = spawn(
      'bash',
      [
        '-c',
        `"${process.execPath}" "${binary}" code alice --watch | (read line; echo "$line"; sleep 2; echo still; kill $$)`,
      ],
      {
        cwd,
        env: { PATH: process.env['PATH'] ?? '', HOME: cwd },
      },
    )
    onTestFinished(() => void watch.kill('SIGKILL'))
    let text = ''
    watch.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await once(watch, 'close')
    expect(text).toMatch(/^\d{6}\nstill\n$/)
  })
})
