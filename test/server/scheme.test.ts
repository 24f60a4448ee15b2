import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { memoryState, PeerTokenAuth, TOTPServerAuthScheme } from '../../src/server/index.js'
import { failureOf } from '../support/failure.js'
import { temporaryFolder } from '../support/folder.js'
import { Clock, headersOf, peers, requestWith, schemeFor } from '../support/guarded.js'
import { serverFile, type ServerFileDocument } from '../support/server-file.js'
import { signedOptions } from '../support/signed.js'

const folder = temporaryFolder()
let files = 0
function written(document: ServerFileDocument): string {
  const path = join(folder, `server-${++files}.json`)
  writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
  return path
}

describe('a scheme', () => {
  it('goes by the clock of the machine unless it is given another one', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2031-05-06T07:08:09Z') })
    onTestFinished(() => void vi.useRealTimers())
    const scheme = new TOTPServerAuthScheme({
      delegate: new PeerTokenAuth({ [peers.alice.token]: 'alice' }),
      peerSeeds: { alice: peers.alice.seed },
      replay: 'reuse',
      state: memoryState({ since: new Date(0) }),
    })
    const ask = async (at: Date) =>
      (await scheme.authenticate(requestWith(headersOf('alice', at)))).caller?.peer
    expect(await ask(new Date())).toBe('alice')
    expect(await ask(new Date(Date.now() + 3_600_000))).toBeUndefined()
  })

  it('shows its profile', () => {
    const { scheme } = schemeFor(new Clock(), { profile: { header: 'X-Second', window: 0 } })
    expect(scheme.profile).toMatchObject({ header: 'X-Second', window: 0, digits: 6, period: 30 })
  })

  it.each([
    ['off', false],
    ['observe', true],
    ['accept', true],
    ['require', true],
  ] as const)('under %s looks at proofs: %j', (policy, reads) => {
    expect(schemeFor(new Clock(), signedOptions(policy)).scheme.readsProofs).toBe(reads)
  })

  it('that was not made from a server file has none, reads none, and can be closed', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock)
    expect(scheme.serverFile).toBeUndefined()
    scheme.reload()
    scheme.close()
    const { caller } = await scheme.authenticate(requestWith(headersOf('alice', clock.at)))
    expect(caller?.peer).toBe('alice')
    expect(events).toMatchObject([{ type: 'authenticated' }])
  })

  it('follows its server file no longer than the block that uses it', () => {
    const path = written({ ...serverFile(), serial: 7 })
    const scheme = TOTPServerAuthScheme.fromFile(path)
    scheme[Symbol.dispose]()
    writeFileSync(path, JSON.stringify({ ...serverFile(), serial: 8 }))
    scheme.reload()
    expect(scheme.serverFile?.serial).toBe(7)
  })

  it('takes its server file from $A2A_TOTP_SERVER_FILE', () => {
    const path = written(serverFile())
    vi.stubEnv('A2A_TOTP_SERVER_FILE', path)
    onTestFinished(() => void vi.unstubAllEnvs())
    const scheme = TOTPServerAuthScheme.fromFile()
    onTestFinished(() => scheme.close())
    expect(scheme.serverFile?.path).toBe(path)
  })

  it('names the server file whose peers it cannot serve', () => {
    const document = serverFile()
    const path = written(document)
    const { code, message } = failureOf(() => TOTPServerAuthScheme.fromFile(path, { throttle: { risk: 0 } }))
    expect(code).toBe('ERR_CONFIG_INVALID')
    expect(message).toContain(`server file ${path}: throttle.risk`)
  })
})
