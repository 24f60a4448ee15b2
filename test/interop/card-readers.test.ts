import { execFile, execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AgentCard } from '@a2a-js/sdk'
import { DefaultAgentCardResolver } from '@a2a-js/sdk/client'
import { DefaultAgentCardResolver as OlderCardResolver } from 'a2a-sdk-0.3/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CardJson } from '../../src/core/card/shapes.js'
import { readRequirements } from '../../src/core/card/requirements.js'
import { isBearerScheme, isHeaderScheme } from '../../src/core/card/schemes.js'
import { startDemoAgent } from '../../src/demo/index.js'
import { makeFolder } from '../support/cli.js'
import { rosterOf } from '../support/guarded.js'
import { describeWith, pythonTests, startPython, lastLineOf, type Venv } from '../support/python.js'

/** The demo with every binding, and so with the `host:port` of gRPC in its card. */
async function demoCard(): Promise<{ cardUrl: string; origin: string }> {
  const demo = await startDemoAgent({ roster: rosterOf(), port: 0 })
  onTestFinished(() => demo.close())
  return { cardUrl: demo.cardUrl, origin: new URL(demo.cardUrl).origin }
}

function expectBothSchemes(card: CardJson): void {
  const { bearer, totp } = card['securitySchemes'] as Record<string, unknown>
  expect(isBearerScheme(bearer)).toBe(true)
  expect(isHeaderScheme(totp, 'X-TOTP')).toBe(true)
}

function expectDemanded(card: CardJson): void {
  expectBothSchemes(card)
  expect(readRequirements(card).map(({ schemes }) => [...schemes].sort())).toEqual([['bearer', 'totp']])
}

for (const [venv, urls] of [
  ['a2a-0.3', ['additionalInterfaces', 'url']],
  ['a2a-1', ['supportedInterfaces']],
] as const satisfies [Venv, string[]][]) {
  describeWith(venv, `a2a-sdk for Python in ${venv}`, () => {
    it('reads in the hybrid card that both factors are demanded', async () => {
      const { origin } = await demoCard()
      const child = startPython(venv, [`${pythonTests}read_card.py`, origin])
      const card = JSON.parse(await lastLineOf(child)) as CardJson
      expectDemanded(card)
      expect(Object.keys(card)).toEqual(expect.arrayContaining([...urls]))
    })
  })
}

describeWith('crewai', 'crewAI', () => {
  it('reads the hybrid card, and finds that a bearer scheme fits it', async () => {
    const { cardUrl } = await demoCard()
    const child = startPython('crewai', [`${pythonTests}read_card_crewai.py`, cardUrl])
    expectDemanded(JSON.parse(await lastLineOf(child)) as CardJson)
  })
})

describe('@a2a-js/sdk', () => {
  const withoutVersion: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers)
    headers.delete('A2A-Version')
    return fetch(input, { ...init, headers })
  }

  it('1.3 reads that both factors are demanded', async () => {
    const { origin } = await demoCard()
    const card = await new DefaultAgentCardResolver().resolve(origin)
    expectDemanded(AgentCard.toJSON(card) as CardJson)
    expect(card.supportedInterfaces).toHaveLength(6)
  })

  it('1.3 takes the hybrid card as it is, where an agent has no other', async () => {
    const { origin } = await demoCard()
    const card = await new DefaultAgentCardResolver({ fetchImpl: withoutVersion }).resolve(origin)
    expectDemanded(card as unknown as CardJson)
    expect(card.supportedInterfaces).toHaveLength(6)
  })

  it('0.3 reads it', async () => {
    const { origin } = await demoCard()
    expectDemanded((await new OlderCardResolver().resolve(origin)) as unknown as CardJson)
  })
})

const go = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin']
  .map((folder) => join(folder, 'go'))
  .find((path) => existsSync(path))

const program = `package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/a2aproject/a2a-go/v2/a2aclient/agentcard"
)

func main() {
	card, err := agentcard.DefaultResolver.Resolve(context.Background(), os.Args[1])
	if err != nil {
		panic(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(card)
}
`

/** What a2a-go 2.4 needs; Debian's may be older. */
function isRecent(path: string): boolean {
  const [, minor = '0'] = /go1\.(\d+)/.exec(execFileSync(path, ['version'], { encoding: 'utf8' })) ?? []
  return Number(minor) >= 25
}

describe.skipIf(go === undefined || !isRecent(go))('a2a-go (skipped without Go 1.25)', () => {
  it('parses the hybrid card with its default resolver', { timeout: 500_000 }, async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'main.go'), program)
    const env = {
      ...process.env,
      GOCACHE: fileURLToPath(new URL('../../.venvs/go-cache', import.meta.url)),
      GOFLAGS: '-mod=mod',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    }
    const run = (...args: string[]): string =>
      execFileSync(go ?? 'go', args, { cwd: folder, env, encoding: 'utf8', timeout: 400_000 })
    run('mod', 'init', 'reader')
    run('get', 'github.com/a2aproject/a2a-go/v2@v2.4.0')
    run('build', '-o', 'reader', '.')
    const { origin } = await demoCard()
    const { stdout } = await promisify(execFile)(join(folder, 'reader'), [origin])
    const card = JSON.parse(stdout) as CardJson
    // Requirements it reads in another form alone, which nobody else does. They only inform.
    expectBothSchemes(card)
    expect(card['supportedInterfaces']).toHaveLength(6)
  })
})
