import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveMetrics } from '../../src/service/metrics.js'

interface Got {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly allow: string | undefined
  readonly body: string
}

async function start(read: () => string | undefined, host = '127.0.0.1'): Promise<string> {
  const server = await serveMetrics({ host, port: 0 }, read)
  onTestFinished(() => server.stop())
  return server.address
}

function ask(address: string, path: string, method = 'GET'): Promise<Got> {
  return new Promise((done, fail) => {
    request(`http://${address}${path}`, { method, agent: false }, (response) => {
      const { statusCode: status, headers } = response
      void text(response).then((body) =>
        done({ status, type: headers['content-type'], allow: headers.allow, body }),
      )
    })
      .on('error', fail)
      .end()
  })
}

describe('serveMetrics', () => {
  it('serves what there is now, as OpenMetrics', async () => {
    let runs = 0
    const address = await start(() => `runs ${++runs}\n# EOF\n`)
    const type = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
    expect(await ask(address, '/metrics')).toMatchObject({ status: 200, type, body: 'runs 1\n# EOF\n' })
    expect(await ask(address, '/metrics?a=b')).toMatchObject({ status: 200, body: 'runs 2\n# EOF\n' })
    expect(await ask(address, '/metrics', 'HEAD')).toMatchObject({ status: 200, type, body: '' })
  })

  it.each(['/', '/metrics/', '/metricsx', '//metrics', '/%6detrics'])('has nothing at %s', async (path) => {
    expect(await ask(await start(() => 'a 1\n# EOF\n'), path)).toMatchObject({ status: 404 })
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const address = await start(() => 'a 1\n# EOF\n')
    expect(await ask(address, '/metrics', method)).toMatchObject({ status: 405, allow: 'GET, HEAD' })
  })

  it('answers 503 as long as there is no verdict', async () => {
    expect(await ask(await start(() => undefined), '/metrics')).toMatchObject({ status: 503 })
  })

  it('listens on IPv6, and shows that address with brackets', async () => {
    const address = await start(() => '# EOF\n', '::1')
    expect(address).toMatch(/^\[::1\]:\d+$/)
    expect(await ask(address, '/metrics')).toMatchObject({ status: 200 })
  })

  it('refuses an address of another machine', async () => {
    // RFC 5737: an address for documentation.
    await expect(serveMetrics({ host: '192.0.2.1', port: 0 }, () => '')).rejects.toMatchObject({
      code: 'ERR_PORT_UNAVAILABLE',
    })
  })
})
