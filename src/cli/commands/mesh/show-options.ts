import type { OutOptions } from '../../io/result-file.js'
import type { MeshFileOption } from './open-mesh.js'

/** Listed here because what draws them is loaded only when it runs. */
export const showFormatNames = ['table', 'json', 'mermaid', 'svg', 'html'] as const

export interface ShowOptions extends MeshFileOption, OutOptions {
  format?: (typeof showFormatNames)[number]
  stores: boolean
}
