import { AgentCard } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { describe, expect, it } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { pinnedFetch, totpFetch, totpInterceptor } from '../../src/client/index.js'
import { wayOf } from '../../src/client/grpc/destination.js'
import { Destinations } from '../../src/client/scheme/destinations.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'

const unsent: typeof globalThis.fetch = () => Promise.resolve(new Response('sent'))
const clock = new FakeClock()

/** Every integration point that is told a URL; each sends credentials there, or rejects. */
const seams: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  totpFetch: (url) => totpFetch(schemeOn(clock), { fetch: unsent })(url),
  pinnedFetch: (url) => pinnedFetch({ fetch: unsent })(url),
  totpInterceptor: (url) => totpInterceptor(schemeOn(clock)).before({ agentCard: { url } }),
  'a card over totpTransports': async (url) => {
    const fetch = () => Promise.resolve(Response.json({ name: 'x', skills: [], supportedInterfaces: [] }))
    const factory = new ClientFactory(totpTransports(schemeOn(clock), { fetch, onWarning: () => undefined }))
    await factory.createFromUrl(url).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error) throw error
    })
  },
  'an interface of totpTransports': (url) => interfaceAt(url, 'JSONRPC'),
  'gRPC of totpTransports': (url) => interfaceAt(url, 'GRPC'),
  totpGrpcInterceptor: (url) => {
    const { dialled, asked } = wayOf('https://127.0.0.1/s', new URL(url).host, false)
    const destinations = new Destinations({})
    destinations.requireSafe(dialled)
    destinations.settle(asked)
    return Promise.resolve()
  },
}

async function interfaceAt(url: string, protocolBinding: string): Promise<void> {
  const options = { origins: [url], grpcTls: false, onWarning: () => undefined } as const
  const factory = new ClientFactory(totpTransports(schemeOn(clock), options))
  const supportedInterfaces = [{ url, protocolBinding, protocolVersion: '1.0' }]
  await factory.createFromAgentCard(AgentCard.fromJSON({ supportedInterfaces, securityRequirements: [] }))
}

describe.each(Object.keys(seams))('plaintext by %s', (name) => {
  const call = (url: string): Promise<unknown> | undefined => seams[name]?.(url)

  it.each([
    ...['http://127.0.0.1:8080/', 'http://127.255.255.254:8080/', 'http://[::1]:8080/'],
    ...['http://[0:0:0:0:0:0:0:1]:8080/', 'http://LOCALHOST:8080/'],
    // All of them are 127.0.0.1 to a URL, and are sent as that.
    ...['http://127.1:8080/', 'http://0x7f.1:8080/', 'http://2130706433:8080/', 'http://0177.0.0.01:8080/'],
  ])('goes to %s', async (url) => {
    await expect(call(url)).resolves.not.toThrow()
  })

  it.each([
    ...['http://localhost.:8080/', 'http://LocalHost.:8080/', 'http://localhost.localdomain:8080/'],
    ...['http://agent.localhost:8080/', 'http://localhost.agent.example:8080/', 'http://ip6-localhost:8080/'],
    ...['http://[::ffff:127.0.0.1]:8080/', 'http://[::127.0.0.1]:8080/', 'http://[::2]:8080/'],
    ...[
      'http://127.0.0.1.agent.example:8080/',
      'http://127-0-0-1.agent.example:8080/',
      'http://128.0.0.1:8080/',
    ],
    ...[
      'http://10.0.0.1:8080/',
      'http://192.168.0.1:8080/',
      'http://169.254.169.254:8080/',
      'http://3232235521:8080/',
    ],
  ])('does not go to %s', async (url) => {
    await expect((async () => call(url))()).rejects.toMatchObject({ code: 'ERR_INSECURE_TRANSPORT' })
  })

  it.each(['http://0.0.0.0:8080/', 'http://[::]:8080/', 'http://0:8080/', 'http://[::ffff:0:0]:8080/'])(
    'does not go to %s, which is no address to call',
    async (url) => {
      await expect((async () => call(url))()).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(INSECURE_TRANSPORT|CARD_INVALID)$/) as string,
      })
    },
  )
})
