import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { buildGo, describeWithGo, goEnvironment, isNewGo, runGo } from '../support/go.js'
import { describeWith } from '../support/python.js'
import { policies, seenByClients, startChain } from '../support/sidecar-chain.js'
import { pins } from '../support/stacks.js'

const folder = temporaryFolder()
const sources = fileURLToPath(new URL('go-unaware/', import.meta.url))

describeWithGo('a client on a2a-go that knows nothing of codes', () => {
  // Debian's Go is too old for a2a-go.
  beforeAll(() => {
    if (!isNewGo) return
    mkdirSync(join(folder, 'unaware'))
    copyFileSync(join(sources, 'main.go'), join(folder, 'unaware/main.go'))
    expect(runGo(folder, ['-l', '.'], { tool: 'gofmt' })).toBe('')
    buildGo(folder, pins['a2a-go'].packages, ['./unaware'])
  }, 500_000)

  describeWith('a2a-1', 'with an agent on a2a-sdk 1.x that does not either', () => {
    it.skipIf(!isNewGo).each(policies)(
      'reaches it through both sidecars over every binding: %s',
      async (_, init) => {
        const { proxy } = await startChain(init)
        const program = join(folder, 'bin/unaware')
        const { stdout } = await promisify(execFile)(program, [proxy], { env: goEnvironment(folder) })
        expect(JSON.parse(stdout)).toEqual({
          JSONRPC: seenByClients,
          'HTTP+JSON': seenByClients,
          GRPC: seenByClients,
        })
      },
    )
  })
})
