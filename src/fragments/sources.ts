/** The source code that some fragments consist of. A bundle of its own, so that other commands do not load it. */
import packageSources from 'a2a-totp:python-package'
import packageJson from '../../package.json' with { type: 'json' }
import { pythonFile } from './python-file/file.js'
import { vendoredFiles } from './python-file/vendored.js'
import pythonServer from './templates/agent.py.text'
import agentSource from './templates/agent.ts.text'
import goClient from './templates/client.go.text'
import pythonClient from './templates/client.py.text'
import clientSource from './templates/client.ts.text'
import crewaiServer from './templates/crewai-agent.py.text'
import crewaiClient from './templates/crewai-client.py.text'
import { stampVendored } from './vendored.js'

export { agentSource, clientSource, crewaiClient, crewaiServer, goClient, pythonClient, pythonServer }

/** The version that vendored files are marked with. */
export const { version } = packageJson

export type VendoredFile = keyof typeof vendoredFiles

/** One file that stands for the Python package. */
export const vendoredSource = (file: VendoredFile): string =>
  stampVendored(pythonFile(packageSources, vendoredFiles[file]), version)

/** All of them. */
export const vendoredSources = (): string[] =>
  (Object.keys(vendoredFiles) as VendoredFile[]).map(vendoredSource)
