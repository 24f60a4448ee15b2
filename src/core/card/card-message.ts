import { asList, asObject, type JsonObject } from '../json.js'
import type { CardJson } from './shapes.js'

/** How one field of a message is read, and when it belongs into the canonical form (A2A 1.0 §8.4.1). */
interface Field {
  readonly read: (given: unknown) => unknown
  /** What stands for the field if it is required and missing. */
  readonly empty: unknown
  /** `always`: REQUIRED in the protocol. `if set`: its presence is visible. `unless empty`: everything else. */
  readonly presence: 'always' | 'if set' | 'unless empty'
}

type Message = Readonly<Record<string, Field>>

const unchanged = (given: unknown): unknown => given

const text: Field = { read: unchanged, empty: '', presence: 'unless empty' }
const flag: Field = { read: unchanged, empty: false, presence: 'unless empty' }
/** `google.protobuf.Struct`: any JSON object, where nothing is a default. */
const anyObject: Field = { read: unchanged, empty: {}, presence: 'if set' }

const message = (fields: Message): Field => ({
  read: (given) => readMessage(fields, asObject(given)),
  empty: {},
  presence: 'if set',
})

const listOf = ({ read }: Field): Field => ({
  read: (given) => asList(given).map(read),
  empty: [],
  presence: 'unless empty',
})

const mapOf = ({ read }: Field): Field => ({
  read: (given) =>
    Object.fromEntries(Object.entries(asObject(given)).map(([key, value]) => [key, read(value)])),
  empty: {},
  presence: 'unless empty',
})

const required = (field: Field): Field => ({ ...field, presence: 'always' })
const optional = (field: Field): Field => ({ ...field, presence: 'if set' })

const securityRequirement = message({ schemes: mapOf(message({ list: listOf(text) })) })

const tokenFlow = { tokenUrl: required(text), refreshUrl: text, scopes: required(mapOf(text)) }
const olderFlow = { refreshUrl: text, scopes: mapOf(text) }

const oauthFlows = message({
  authorizationCode: message({ ...tokenFlow, authorizationUrl: required(text), pkceRequired: flag }),
  clientCredentials: message(tokenFlow),
  implicit: message({ ...olderFlow, authorizationUrl: text }),
  password: message({ ...olderFlow, tokenUrl: text }),
  deviceCode: message({ ...tokenFlow, deviceAuthorizationUrl: required(text) }),
})

const securityScheme = message({
  apiKeySecurityScheme: message({ description: text, location: required(text), name: required(text) }),
  httpAuthSecurityScheme: message({ description: text, scheme: required(text), bearerFormat: text }),
  oauth2SecurityScheme: message({ description: text, flows: required(oauthFlows), oauth2MetadataUrl: text }),
  openIdConnectSecurityScheme: message({ description: text, openIdConnectUrl: required(text) }),
  mtlsSecurityScheme: message({ description: text }),
})

const agentInterface = message({
  url: required(text),
  protocolBinding: required(text),
  tenant: text,
  protocolVersion: required(text),
})

const capabilities = message({
  streaming: optional(flag),
  pushNotifications: optional(flag),
  extensions: listOf(message({ uri: text, description: text, required: flag, params: anyObject })),
  extendedAgentCard: optional(flag),
})

const skill = message({
  id: required(text),
  name: required(text),
  description: required(text),
  tags: required(listOf(text)),
  examples: listOf(text),
  inputModes: listOf(text),
  outputModes: listOf(text),
  securityRequirements: listOf(securityRequirement),
})

/** `AgentCard` of A2A 1.0's a2a.proto, without its signatures. */
const agentCard: Message = {
  name: required(text),
  description: required(text),
  supportedInterfaces: required(listOf(agentInterface)),
  provider: message({ url: required(text), organization: required(text) }),
  version: required(text),
  documentationUrl: optional(text),
  capabilities: required(capabilities),
  securitySchemes: mapOf(securityScheme),
  securityRequirements: listOf(securityRequirement),
  defaultInputModes: required(listOf(text)),
  defaultOutputModes: required(listOf(text)),
  skills: required(listOf(skill)),
  iconUrl: optional(text),
}

/**
 * Returns a card of A2A 1.0 with exactly the fields that its signature covers (§8.4.1): required ones always, optional
 * ones if they are set, all others unless they are empty. Fields that the protocol does not know are left out, and so
 * are signatures.
 */
export function cardMessage(card: CardJson): CardJson {
  return readMessage(agentCard, card)
}

function readMessage(fields: Message, given: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, { read, empty, presence }]) => {
      const value = given[name]
      if (value === undefined || value === null) return presence === 'always' ? [[name, empty]] : []
      const known = read(value)
      return presence === 'unless empty' && isEmpty(known) ? [] : [[name, known]]
    }),
  )
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === '' || value === false
}
