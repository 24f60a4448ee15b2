import { TOTPError } from '../../../core/errors.js'
import { inContext, type GlobalOptions } from '../../context.js'
import { defineApply } from './apply.js'
import { defineConfig } from './config.js'
import { defineInit } from './init.js'
import { definePlan } from './plan.js'
import { defineProve } from './prove.js'
import { defineRotate } from './rotate.js'
import { defineShow } from './show.js'
import { defineStatus } from './status.js'

export const define = inContext((command, context) => {
  command.hook('preAction', (_, action) => {
    if (action.optsWithGlobals<GlobalOptions>().store === undefined) return
    throw new TOTPError(
      'ERR_USAGE',
      '--store has no effect on a mesh, whose file names the stores; name the mesh file with --file',
    )
  })
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
One file, mesh.yaml, says which peers may call which agents. Each agent has a store of its own, and each edge, one
peer that may call one agent, a seed and a token of its own. The file is --file, else $A2A_TOTP_MESH, else the
nearest mesh.yaml, mesh.yml or mesh.json upward that belongs to you, in folders that nobody else can write to.
--store and $A2A_TOTP_STORE have no effect: the file names the stores.

Examples:
  $ a2a-totp mesh init stores/*.json
  $ a2a-totp mesh plan
  $ a2a-totp mesh apply
  $ a2a-totp mesh prove --format junit=mesh.xml`,
  )
})
