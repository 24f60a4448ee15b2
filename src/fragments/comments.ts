/** Comment lines for YAML and shells. An empty string becomes a bare `#`. */
export function comments(lines: readonly string[]): string {
  return lines.map((line) => (line === '' ? '#\n' : `# ${line}\n`)).join('')
}
