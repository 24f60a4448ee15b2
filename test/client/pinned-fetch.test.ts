import { createAuthenticatingFetchWithRetry } from '@a2a-js/sdk/client'
import { describe, expect, it } from 'vitest'
import { pinnedFetch, totpAuthenticationHandler } from '../../src/client/index.js'
import { FakeClock, schemeOn, token } from '../support/client-scheme.js'
import { codeOf } from '../support/failure.js'
import { fieldsOf, record } from '../support/recording-server.js'

const clock = new FakeClock()
const authenticating = (options: Parameters<typeof pinnedFetch>[0] = {}) =>
  createAuthenticatingFetchWithRetry(pinnedFetch(options), totpAuthenticationHandler(schemeOn(clock)))

describe('a pinned fetch', () => {
  it('sends what it is given to the first origin, and nothing to another one', async () => {
    await using agent = await record()
    await using other = await record()
    const fetch = authenticating()
    await fetch(agent.origin, { method: 'POST', body: 'x' })
    await expect(fetch(other.origin)).rejects.toMatchObject({ code: 'ERR_HOST_FORBIDDEN' })
    const [request] = agent.requests
    expect(
      request && [fieldsOf(request, 'authorization'), fieldsOf(request, 'x-totp'), request.body],
    ).toEqual([[`Bearer ${token}`], [clock.code()], 'x'])
    expect(other.requests).toEqual([])
  })

  it('sends to the origins that it is given alone', async () => {
    await using agent = await record()
    await using other = await record()
    const fetch = authenticating({ origins: [agent.origin] })
    await expect(fetch(other.origin)).rejects.toMatchObject({ code: 'ERR_HOST_FORBIDDEN' })
    expect((await fetch(new Request(`${agent.origin}/a`))).status).toBe(200)
    expect(codeOf(() => pinnedFetch({ origins: ['agent'] }))).toBe('ERR_CONFIG_INVALID')
  })

  it.each([301, 302, 303, 307, 308])('does not follow a redirect: %d', async (status) => {
    await using other = await record()
    await using agent = await record((_request, response) =>
      response.writeHead(status, { Location: other.origin }).end(),
    )
    expect((await authenticating()(agent.origin)).status).toBe(status)
    await expect(authenticating()(agent.origin, { redirect: 'error' })).rejects.toThrow(TypeError)
    expect(other.requests).toEqual([])
  })

  it('refuses plain http beyond this machine, and a password in the URL', async () => {
    await expect(authenticating()('http://agent.example/')).rejects.toMatchObject({
      code: 'ERR_INSECURE_TRANSPORT',
    })
    const spelled = authenticating()('https://me:secret@agent.example/')
    await expect(spelled).rejects.toMatchObject({ code: 'ERR_USAGE' })
    await expect(spelled).rejects.not.toThrow(/secret/)
  })
})
