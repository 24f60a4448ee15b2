/** The source code that some fragments consist of. A bundle of its own, so that other commands do not load it. */
import packageJson from '../../package.json' with { type: 'json' }
import crewaiClientSource from './python/a2a_totp_crewai_client.py'
import crewaiPart from './python/a2a_totp_crewai_server.py'
import pythonClientSource from './python/a2a_totp_client.py'
import pythonServerSource from './python/a2a_totp_server.py'
import agentSource from './templates/agent.ts.text'
import goClient from './templates/client.go.text'
import clientSource from './templates/client.ts.text'
import { stampVendored } from './vendored.js'

export { agentSource, clientSource, goClient }

/** The version that the modules are marked with. */
export const { version } = packageJson

const stamped = (text: string): string => stampVendored(text, version)

export const pythonServer = stamped(pythonServerSource)
export const pythonClient = stamped(pythonClientSource)
export const crewaiClient = stamped(crewaiClientSource)

/** What the crewAI part needs as a file of its own, but not when it follows the server module. */
const ownHead = /^"""[^"]*"""\n\n/
const ownImport = 'from a2a_totp_server import Authenticator, Caller\n'

const lastImport = 'from a2a.auth.user import User\n'
const otherImports = /^from crewai[^]*^from pydantic .*\n/m

/** The server module and the crewAI part as one module, with all imports at the top. */
export const crewaiServer = stamped(
  [
    pythonServerSource.replace(lastImport, lastImport + (otherImports.exec(crewaiPart)?.[0] ?? '')),
    crewaiPart
      .replace(ownHead, '')
      .replace(ownImport, '')
      .replace(otherImports, '')
      .replace(/\n{3,}class/, '\n\n\nclass'),
  ].join('\n\n'),
)
