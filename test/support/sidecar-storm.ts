import { Agent } from 'node:http'
import { callGate, startGateProcess, startStreamingAgent, textOf } from './gate-process.js'

export interface SidecarStorm {
  readonly reloads: number
  readonly requests: number
  /** Answers other than 200, and requests without a whole answer. */
  readonly failed: readonly string[]
  readonly streams: number
  /** Streams that did not get to their end. */
  readonly cut: number
  /** From each new file to its being in force, shortest first. */
  readonly delaysMs: readonly number[]
}

/**
 * Swaps the server file of a gate again and again, every second time with a SIGHUP at once, while peers call without a pause
 * and streams are open. Then lets the streams end.
 */
export async function reloadStormOfGate(reloads: number, streamCount = 20): Promise<SidecarStorm> {
  const agent = await startStreamingAgent()
  const { gate, url, publish } = await startGateProcess(agent.url)
  const streams = await Promise.all(
    Array.from({ length: streamCount }, (_, n) =>
      callGate(`${url}/stream`, { peer: n % 2 ? 'alice' : 'bob' }),
    ),
  )
  const texts = streams.map((stream) => textOf(stream).catch(() => 'cut off'))

  let over = false
  let requests = 0
  const failed: string[] = []
  const load = async (peer: 'alice' | 'bob', keepAlive: boolean): Promise<void> => {
    const connections = new Agent({ keepAlive })
    while (!over) {
      requests++
      try {
        const answer = await callGate(`${url}/a2a`, { peer, agent: connections })
        const text = await textOf(answer)
        if (answer.statusCode !== 200 || text !== `for ${peer}`) failed.push(`${answer.statusCode} ${text}`)
      } catch (error) {
        failed.push(String(error))
      }
    }
    connections.destroy()
  }
  const callers = [load('alice', true), load('bob', true), load('alice', false)]
  const delaysMs: number[] = []
  for (let serial = 2; serial < reloads + 2; serial++) {
    const begin = performance.now()
    const from = gate.said.length
    publish(serial)
    if (serial % 2) gate.child.kill('SIGHUP')
    await gate.hasLogged(
      ({ event, serial: loaded }) => event === 'server_file_loaded' && loaded === serial,
      from,
    )
    delaysMs.push(performance.now() - begin)
  }
  over = true
  await Promise.all(callers)
  agent.endStreams()
  const ends = await Promise.all(texts)
  const cut = ends.filter((text) => text !== 'data: first\n\ndata: last\n\n').length
  gate.child.kill('SIGTERM')
  await gate.ended()
  return { reloads, requests, failed, streams: streamCount, cut, delaysMs: delaysMs.sort((a, b) => a - b) }
}
