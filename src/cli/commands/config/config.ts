import { inContext } from '../../context.js'
import { defineCard } from './card.js'
import { defineClient } from './client.js'
import { defineServer } from './server.js'

export const define = inContext((command, context) => {
  defineServer(command.command('server'), context)
  defineClient(command.command('client'), context)
  defineCard(command.command('card'), context)
  return command.addHelpText(
    'after',
    `
Examples:
  $ a2a-totp config server --out billing.json
  $ a2a-totp config client alice --out alice.env
  $ a2a-totp config card --merge agent-card.json`,
  )
})
