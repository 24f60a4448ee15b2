import { describe, expect, it } from 'vitest'
import { callGate, startGateProcess, startStreamingAgent, textOf } from '../../support/gate-process.js'
import { reloadStormOfGate } from '../../support/sidecar-storm.js'

/** Other tests may take the processor. */
const patient = { timeout: 30_000 }

it('a gate loses nothing while its server file changes 50 times under load and open streams', async () => {
  const { requests, failed, cut } = await reloadStormOfGate(50)
  expect(failed).toEqual([])
  expect(cut).toBe(0)
  expect(requests).toBeGreaterThan(50)
})

describe('a gate that gets SIGTERM', () => {
  it('lets each running stream come to its end, refuses no call that it accepted, and is not ready meanwhile', async () => {
    const agent = await startStreamingAgent()
    const { gate, url, admin } = await startGateProcess(agent.url)
    const streams = await Promise.all(Array.from({ length: 20 }, () => callGate(`${url}/stream`)))

    // New connections all the time, until there are none to be had. Those that the system has accepted, and the gate has not,
    // are reset: nobody has seen their calls, which can be sent elsewhere.
    const answers: string[] = []
    const call = async (): Promise<void> => {
      for (;;) {
        const answer = await callGate(`${url}/a2a`).catch((error: unknown) => {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET)$/) as string,
          })
          return (error as NodeJS.ErrnoException).code
        })
        if (answer === 'ECONNREFUSED') return
        if (typeof answer === 'object') answers.push(`${answer.statusCode} ${await textOf(answer)}`)
      }
    }
    const callers = [call(), call(), call()]
    await expect.poll(() => answers.length, patient).toBeGreaterThan(10)
    gate.child.kill('SIGTERM')
    await Promise.all(callers)
    expect(answers.filter((answer) => answer !== '200 for alice')).toEqual([])
    expect(answers).toHaveLength(agent.seen())

    await gate.hasLogged(({ event }) => event === 'draining')
    const readiness = await fetch(`${admin}/readyz`)
    expect(readiness.status).toBe(503)
    expect((await fetch(`${admin}/healthz`)).status).toBe(200)
    expect(agent.open()).toBe(20)
    agent.endStreams()
    for (const stream of streams) expect(await textOf(stream)).toBe('data: first\n\ndata: last\n\n')
    expect(await gate.ended()).toBe(143)
    expect(gate.log().at(-1)).toMatchObject({ event: 'stopped' })
    expect(gate.log().filter(({ event, path }) => event === 'call' && path === '/a2a')).toHaveLength(
      agent.seen(),
    )
    expect(gate.log().filter(({ cut }) => cut)).toEqual([])
  })

  it('cuts off what is left once --drain has passed, so that no client takes it for whole', async () => {
    const agent = await startStreamingAgent()
    const { gate, url } = await startGateProcess(agent.url, ['--drain', '1'])
    const stream = await callGate(`${url}/stream`)
    gate.child.kill('SIGTERM')
    await expect(textOf(stream)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await gate.ended()).toBe(143)
    await expect.poll(() => agent.open(), patient).toBe(0)
  })
})

it('a gate logs a line for each call, and what becomes of its server file', async () => {
  const agent = await startStreamingAgent()
  const { gate, url, admin, publish } = await startGateProcess(agent.url)
  await textOf(await callGate(`${url}/a2a?secret=1`))
  await fetch(`${url}/a2a`, { method: 'POST' })
  publish(5)
  await gate.hasLogged(({ event, serial }) => event === 'server_file_loaded' && serial === 5)
  expect(await (await fetch(`${admin}/status`)).json()).toMatchObject({ serial: 5, lastRefusal: null })
  const calls = gate.log().filter(({ event }) => event === 'call')
  expect(calls).toMatchObject([
    {
      role: 'gate',
      result: 'accepted',
      peer: 'alice',
      method: 'POST',
      path: '/a2a',
      status: 200,
      source: '127.0.0.1',
    },
    { role: 'gate', result: 'refused', reason: 'token-missing', status: 401 },
  ])
})
