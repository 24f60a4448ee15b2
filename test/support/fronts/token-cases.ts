import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { renderServerFragment } from '../../../src/fragments/index.js'
import { placeFront } from './addresses.js'
import { startBareAgent, type BareAgent } from './agent.js'
import { codeOf, roster, startTestGate, tokenOf, type TestGate } from './gate.js'
import { call } from './wire.js'
import { runFront, type FrontProgram, type RunningProgram } from './programs.js'

const frontToken = 'a-token.of~the+front/=0123'

/** What the configuration of a front has to do with `--authz-token-file`. */
export function frontTokenCases(
  front: FrontProgram,
  { name = front, envoyGrpc = false }: { name?: string; envoyGrpc?: boolean } = {},
): void {
  describe(`${name} with a token for the gate`, () => {
    let agent: BareAgent
    let gate: TestGate
    const programs: RunningProgram[] = []

    beforeAll(async () => {
      ;[agent, gate] = await Promise.all([startBareAgent(), startTestGate('in-process', { frontToken })])
    })

    afterAll(async () => {
      await Promise.all(programs.map((program) => program.close()))
      await gate.end()
      await agent.close()
    })

    let grpcPort = 0
    const started = async (token: string): Promise<string> => {
      const { port, addresses, ...placed } = await placeFront(agent, gate, envoyGrpc)
      grpcPort = placed.grpcPort
      const { files = [], secret } = await renderServerFragment(front, {
        roster,
        at: new Date(),
        frontToken: token,
        front: addresses,
      })
      expect(secret).toBe(true)
      programs.push(await runFront(front, files, [port, grpcPort]))
      const url = `http://127.0.0.1:${port}/rpc`
      // Traefik listens before it has its routes.
      await vi.waitFor(async () => expect((await fetch(url)).status).not.toBe(404))
      return url
    }

    const credentials = (): Record<string, string> => ({
      Authorization: `Bearer ${tokenOf('alice')}`,
      'X-TOTP': codeOf('alice'),
    })

    it('shows the token to the gate, whose answers it gives, and to nobody else', async () => {
      const url = await started(frontToken)
      expect((await fetch(url, { headers: credentials() })).status).toBe(200)
      const refused = await fetch(url)
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toContain('TOTP')
      const metadata = { authorization: `Bearer ${tokenOf('alice')}`, 'x-totp': codeOf('alice') }
      expect(await call(grpcPort, metadata)).toMatchObject({ grpcStatus: '0' })
      const text = JSON.stringify([agent.arrived, [...refused.headers]])
      expect(agent.arrived).toHaveLength(2)
      expect(text).not.toContain(frontToken)
    })

    it('lets nobody in with another', async () => {
      const url = await started(`${frontToken}4`)
      agent.arrived.length = 0
      const headers = { ...credentials(), TotpAuthzToken: frontToken }
      expect((await fetch(url, { headers })).status).toBeGreaterThanOrEqual(400)
      expect(agent.arrived).toEqual([])
    })
  })
}
