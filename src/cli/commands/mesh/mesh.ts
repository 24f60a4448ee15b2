import { inContext } from '../../context.js'
import { defineApply } from './apply.js'
import { defineConfig } from './config.js'
import { defineInit } from './init.js'
import { definePlan } from './plan.js'
import { defineProve } from './prove.js'
import { defineRotate } from './rotate.js'
import { defineShow } from './show.js'
import { defineStatus } from './status.js'

export const define = inContext((command, context) => {
  defineInit(command.command('init'), context)
  definePlan(command.command('plan'), context)
  defineApply(command.command('apply'), context)
  defineRotate(command.command('rotate'), context)
  defineProve(command.command('prove'), context)
  defineShow(command.command('show'), context)
  defineStatus(command.command('status'), context)
  defineConfig(command.command('config'), context)
  return command.addHelpText(
    'after',
    `
One file, mesh.yaml, says which peers may call which agents. Each agent has a store of its own, and each edge, one peer that
may call one agent, has a seed and a token of its own. The file is --file, else $A2A_TOTP_MESH, else the nearest mesh.yaml,
mesh.yml or mesh.json upward.

Examples:
  $ a2a-totp mesh plan
  $ a2a-totp mesh apply
  $ a2a-totp mesh prove --format junit=mesh.xml`,
  )
})
