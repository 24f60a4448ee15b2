import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { inContext } from '../../src/cli/context.js'
import { runCommandLine, type CommandList } from '../../src/cli/program.js'
import { runProcess } from '../../src/cli/process.js'
import { runSidecar } from '../../src/cli/sidecar-run.js'
import type { System } from '../../src/cli/system.js'
import { listenHttp } from '../../src/service/http.js'
import type { Sidecar } from '../../src/sidecar/sidecar.js'

/**
 * A sidecar without proofs, codes or an agent: `/stream` answers as long as it is let, any other path ends all streams. It
 * says on stderr what happens to it.
 *
 * @param held a reading of the files ends with the next request
 */
async function startFake(say: (text: string) => void, held: boolean): Promise<Sidecar> {
  const streams = new Set<ServerResponse>()
  let endReading = (): void => undefined
  const server = createServer((req, res) => {
    if (req.url === '/stream') {
      res.write('first')
      streams.add(res)
      return
    }
    for (const stream of streams) stream.end('last')
    endReading()
    res.end('done')
  })
  const listener = await listenHttp(server, 0)
  return {
    listeners: [
      { role: 'gate', url: `http://${listener.address}`, agent: 'billing' },
      { role: 'admin', url: 'http://127.0.0.1:1', agent: 'billing' },
    ],
    async reload() {
      say('reload begins')
      await (held ? new Promise<void>((done) => (endReading = done)) : sleep(20))
      say('reload ends')
      throw new Error('a file is broken')
    },
    async drain(ms) {
      const closed = new Promise((done) => server.close(done))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), ms)
      await closed
      clearTimeout(timer)
    },
    close: () => listener.stop(),
  }
}

interface FakeOptions {
  readonly drain: number
  readonly slow: number
  readonly broken?: true
  readonly held?: true
}

/** The command `fake`: `--drain` in milliseconds, `--slow` to start slowly, `--held`, and `--broken` to fail at the start. */
const commands: CommandList = {
  fake: {
    description: 'a sidecar',
    load: () =>
      Promise.resolve({
        define: inContext((command, context) =>
          command
            .option('--drain <ms>', '', Number, 60_000)
            .option('--slow <ms>', '', Number, 0)
            .option('--broken', '')
            .option('--held', '')
            .action(async ({ drain, slow, broken, held }: FakeOptions) => {
              const say = (text: string): void => context.output.remark(text)
              const start = async (): Promise<Sidecar> => {
                say('starting')
                await sleep(slow)
                if (broken) throw new Error('cannot start')
                return startFake(say, held === true)
              }
              await runSidecar(context, start, {
                drainMs: drain,
                onEvent: (event) =>
                  say(event.type === 'listening' ? `${event.listener.role} listens` : event.type),
              })
            }),
        ),
      }),
  },
}

const mainOfFake = (args: readonly string[], system: System): Promise<number> =>
  runCommandLine(commands, args, system)

// As the entry of a bundle it is a process of its own.
if (process.argv[2] === 'fake') runProcess(mainOfFake)
