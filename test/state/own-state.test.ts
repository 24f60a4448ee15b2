import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'
import { memoryState, type Attempt, type State } from '../../src/state/index.js'
import { inStep, rightCode, signed, someStep, wrongCode } from './attempts.js'

const page = readFileSync(fileURLToPath(new URL('../../docs/state.md', import.meta.url)), 'utf8')

it("the page's own state decides as the service behind it, and throws when that is down", async () => {
  const behind = memoryState({ since: new Date(0) })
  const service = createServer((request, response) => {
    void text(request).then((body) => {
      const attempt = JSON.parse(body) as Attempt
      response.end(JSON.stringify(behind.decide({ ...attempt, at: new Date(attempt.at) })))
    })
  }).listen(0, '127.0.0.1')
  await once(service, 'listening')
  onTestFinished(() => void service.close())

  const block = Array.from(page.matchAll(/```ts\n(.*?)```/gs), ([, code = '']) => code).at(-1) ?? ''
  const { code } = await transform(block, { loader: 'ts', format: 'esm' })
  const { remoteState } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    remoteState: (url: string) => State
  }
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  const state = remoteState(url)
  expect(state.supports).toEqual({ once: true, proofs: true })
  expect(await state.decide(wrongCode('123456', inStep(someStep)))).toMatchObject({ kind: 'wrong' })
  expect(await state.decide(rightCode(someStep))).toEqual({ kind: 'accepted' })
  expect(await state.decide(rightCode(someStep))).toMatchObject({ kind: 'replayed' })
  const proof = signed(someStep)
  expect(await state.decide(proof)).toEqual({ kind: 'accepted' })
  expect(await state.decide(proof)).toEqual({ kind: 'replayed' })
  service.closeAllConnections()
  service.close()
  await expect(Promise.resolve(state.decide(rightCode(someStep + 1)))).rejects.toThrow()
})
