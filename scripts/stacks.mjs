// Prints what test/stacks/pins.json has, for scripts: the names of all stacks in Python, of those that CI tests (--ci) or
// of those named; or the packages of one (--packages NAME).
import { readFileSync } from 'node:fs'

const pins = JSON.parse(readFileSync(new URL('../test/stacks/pins.json', import.meta.url), 'utf8'))
const [option, ...others] = process.argv.slice(2)

function pinOf(name) {
  if (Object.hasOwn(pins, name)) return pins[name]
  console.error(`no stack "${name}" in test/stacks/pins.json; it has ${Object.keys(pins).join(', ')}`)
  process.exit(2)
}

if (option === '--packages') console.log(pinOf(others[0]).packages.join(' '))
else {
  const named = option === undefined || option === '--ci' ? Object.keys(pins) : [option, ...others]
  const wanted = named.filter((name) => {
    const { language, ci } = pinOf(name)
    return language === 'python' && (option !== '--ci' || ci === true)
  })
  for (const name of wanted) console.log(name)
}
