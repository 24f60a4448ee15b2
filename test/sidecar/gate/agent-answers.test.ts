import { describe, expect, it } from 'vitest'
import { ask, credentialsOf, gateTo, type TestGate } from '../../support/gate.js'
import { rawAgent } from '../../support/raw-agent.js'
import { answerTo } from '../../support/raw-socket.js'

const lines = (): string[] => Object.entries(credentialsOf()).map(([name, value]) => `${name}: ${value}`)

describe('what a client reads of an agent', () => {
  const answerOf = async (gate: TestGate): Promise<string> =>
    answerTo(
      gate.port,
      ...['POST /t HTTP/1.1', 'Host: a', ...lines(), 'Content-Length: 0', 'Connection: close', '', ''],
    )

  it.each([
    ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\nok'],
    [
      'has a length beside chunked',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['has a bare CR in a field', 'HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c=1\r\nContent-Length: 2\r\n\r\nok'],
    ['has a bare LF in a field', 'HTTP/1.1 200 OK\r\nX-A: b\nSet-Cookie: c=1\r\nContent-Length: 2\r\n\r\nok'],
    ['has a null in a field', 'HTTP/1.1 200 OK\r\nX-A: b\0\r\nContent-Length: 2\r\n\r\nok'],
    ['has a folded field', 'HTTP/1.1 200 OK\r\nX-A: b\r\n Set-Cookie: c=1\r\nContent-Length: 2\r\n\r\nok'],
    [
      'switches protocols with an Upgrade',
      'HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    ],
    [
      'switches protocols without one',
      'HTTP/1.1 101 S\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ],
    ['has status 000', 'HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['has status 099', 'HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['has a head of 70 kB', `HTTP/1.1 200 OK\r\nX-A: ${'b'.repeat(70_000)}\r\n\r\n`],
    ['is no HTTP', 'ok'],
    ['is nothing', ''],
  ])('is a 502 where its answer %s', async (_, bytes) => {
    const agent = await rawAgent((__, socket) => void socket.end(Buffer.from(bytes, 'latin1')))
    const gate = await gateTo(agent.url)
    const heard = await answerOf(gate)
    expect(heard).toMatch(/^HTTP\/1\.1 502 /)
    expect(heard.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(heard).not.toMatch(/Set-Cookie/i)
    await expect.poll(() => gate.calls.map(({ own }) => own ?? 'none')).not.toContain('none')
  })

  it('is nothing of what follows an answer, nor the next peer', async () => {
    const next = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
    const agent = await rawAgent(
      (_, socket, count) =>
        void socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright${count === 1 ? next : ''}`),
    )
    const gate = await gateTo(agent.url)
    expect((await ask(gate, { headers: credentialsOf() })).body).toBe('right')
    for (let round = 0; round < 5; round++) {
      expect((await ask(gate, { headers: credentialsOf('bob') })).body).toBe('right')
    }
  })

  it.each([204, 304])('is no content of a %i, nor the next peer', async (status) => {
    const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
    const agent = await rawAgent(
      (_, socket, count) =>
        void socket.write(
          count === 1
            ? `HTTP/1.1 ${status} X\r\nContent-Length: ${poison.length}\r\n\r\n${poison}`
            : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright',
        ),
    )
    const gate = await gateTo(agent.url)
    const first = await ask(gate, { headers: credentialsOf() })
    expect(first).toMatchObject({ status, body: '' })
    for (let round = 0; round < 5; round++) {
      expect((await ask(gate, { headers: credentialsOf('bob') })).body).toBe('right')
    }
  })
})
