// What a run of scripts/test-long.mjs does, and what it says at the end. No clock, no files.

/** The versions of Node that are promised. */
export const promisedNodes = ['20.19', '22', '24', '26']

/**
 * @param {{ files: readonly string[], mutation: readonly string[] }} found the files below test/long, and the parts of
 * test/mutation/parts.json
 * @returns {import('./plan.mjs').Part[]} in the order in which they run
 */
export function partsOf({ files, mutation }) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'long']
  const tests = files
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => ({ name: file.replace(/\.test\.ts$/, ''), args: [...vitest, `test/long/${file}`] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return [
    ...tests,
    ...promisedNodes.map((version) => ({
      name: `node-${version}`,
      args: ['scripts/test-nodes.mjs', version],
    })),
    ...mutation.map((part) => ({ name: `mutation-${part}`, args: ['scripts/test-mutation.mjs', part] })),
    { name: 'stacks', args: ['scripts/test-stacks.mjs'], byNameAlone: true },
  ]
}

/** @typedef {import('./plan.mjs').Part} Part */
/** @typedef {import('./plan.mjs').Notes} Notes */

/**
 * The notes that say something of this code: those of other code do not.
 *
 * @param {Notes} notes
 * @param {string} code
 * @returns {Notes}
 */
export function notesOn(notes, code) {
  return Object.fromEntries(Object.entries(notes).filter(([, note]) => note.code === code))
}

/**
 * Which parts are asked for; with `resume`, those among them that passed before are left out.
 *
 * @param {readonly Part[]} parts
 * @param {{ names: readonly string[], resume: boolean, notes: Notes }} asked with the notes on this code
 * @throws {RangeError} for a name that no part has
 */
export function planOf(parts, { names, resume, notes }) {
  const unknown = names.find((name) => !parts.some((part) => part.name === name))
  if (unknown !== undefined) throw new RangeError(`no part is called "${unknown}"; --list prints the names`)
  const asked = parts.filter(({ name, byNameAlone }) =>
    names.length > 0 ? names.includes(name) : !byNameAlone,
  )
  return { asked, run: asked.filter(({ name }) => !(resume && notes[name]?.passed)) }
}

/**
 * The table that ends a run: a line for each part, and one for all.
 *
 * @param {readonly Part[]} parts
 * @param {Notes} notes on this code
 */
export function tableOf(parts, notes) {
  const rows = parts.map(({ name }) => ({ name, note: notes[name] }))
  const wide = Math.max(...rows.map(({ name }) => name.length))
  const lines = rows.map(({ name, note }) => {
    const cells = note
      ? [note.passed ? 'passed ' : 'FAILED ', spell(note.seconds).padStart(8), note.lastLine]
      : ['not run']
    return [name.padEnd(wide), ...cells].join('  ').trimEnd()
  })
  const done = rows.flatMap(({ note }) => note ?? [])
  const passed = done.filter((note) => note.passed).length
  const seconds = done.reduce((sum, note) => sum + note.seconds, 0)
  const missing = rows.length - done.length
  const total = `${passed} parts passed, ${done.length - passed} failed, ${missing} not run, in ${spell(seconds)}`
  return [...lines, total].join('\n')
}

/** @param {number} seconds @returns {string} hours, minutes and seconds: `1:02:03` */
function spell(seconds) {
  const whole = Math.round(seconds)
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}
