import type { ErrorCode } from 'yaml'

/** What is wrong with a text that is not YAML, where the kind of the fault says more than its place. */
const words: Partial<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias has neither an anchor nor a tag',
  BAD_DQ_ESCAPE: 'this escape does not exist in a text in double quotes',
  BAD_INDENT: 'the indentation is wrong here, or a bracket above is not closed',
  BAD_SCALAR_START: 'a text that begins so needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map begins on a line of its own; or a text with a colon needs quotes',
  MISSING_CHAR: 'something is missing here, such as a colon, a quote or a bracket',
  MULTIPLE_ANCHORS: 'a value has one anchor at most',
  MULTIPLE_DOCS: 'a second document begins; a mesh file has one',
  MULTIPLE_TAGS: 'a value has one tag at most',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'a tag has no meaning here; leave it out',
  UNEXPECTED_TOKEN: 'this is not expected here; a text with a bracket, a comma or a colon in it needs quotes',
}

/** Says what is wrong with a text that is not YAML, without anything of the text. */
export const syntaxWords = (code: ErrorCode): string => words[code] ?? 'this is not YAML'
