import { jsonText, printable } from '../core/text.js'

/** Whether errors are wanted as JSON. Told from the bare words, since what cannot be parsed is an error as well. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? undefined : end).some((arg) => /^--json(=|$)/.test(arg))
}

/** An error as stderr has it: one line, whatever the message holds. */
export function errorLine({ code, message }: { code: string; message: string }, json: boolean): string {
  const line = oneLine(message)
  return json ? `${jsonText({ error: { code, message: line } })}\n` : `error: ${line} (${code})\n`
}

export function oneLine(text: string): string {
  return printable(text.replace(/\s*\n\s*/g, ' '))
}
