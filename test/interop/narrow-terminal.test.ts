import { describe, expect, it } from 'vitest'
import { binary, makeStore, runCli } from '../support/cli.js'
import { openTerminal, until, type Terminal } from '../support/terminal.js'

const command = `"${process.execPath}" "${binary}"`

async function shows(
  columns: number,
  env: string,
  args: string,
  other = 'backup-sync-of-the-north',
): Promise<{ screen: string; log: string }> {
  const cwd = await makeStore(['alice', other])
  await runCli(['add-peer', 'carol', '--note', 'the one with a note that is longer than a line'], { cwd })
  const terminal = openTerminal(cwd, columns, 60)
  terminal.type(`clear; env ${env} ${command} ${args}; echo en""ded`)
  await until(() => terminal.screen().includes('ended'))
  return { screen: terminal.screen(), log: terminal.log() }
}

describe('a terminal', () => {
  it('of 40 columns shows a block of each peer', async () => {
    const { screen } = await shows(40, 'A=1', 'list')
    expect(screen).toMatch(/^alice\n {2}seed {4}s-\w+\n {2}token {3}t-\w+\n {2}age/m)
    expect(screen).toMatch(/^backup-sync-of-the-north\n/m)
  })

  it('of 80 columns puts notes under their rows', async () => {
    const { screen } = await shows(80, 'A=1', 'list', 'backup-sync')
    expect(screen).toMatch(/^NAME +SEED +TOKEN +AGE +CODES +REPLAY +SIGNED$/m)
    expect(screen).toMatch(/^carol .*\n {2}the one with a note that is longer than a line$/m)
  })

  it('of 40 columns shows help without a broken word', async () => {
    const { screen } = await shows(40, 'A=1', 'verify --help')
    expect(screen).toContain(
      '\nPrints valid or invalid, and for a valid\ncode its drift in time steps (-1: the\n',
    )
  })

  it('of 40 columns is told that a QR code does not fit', async () => {
    const { screen } = await shows(40, 'A=1', 'show alice --qr')
    expect(screen.replace(/\s+/g, '')).toContain('thisQRcodeneeds45columns,theterminalhas40')
    expect(screen).toContain('--qr-file')
    expect(screen).not.toMatch(/[▀▄█]/)
  })

  it.each([
    ['TERM=dumb', 80, '▀'],
    ['NO_COLOR=1', 80, '▀'],
    ['LC_ALL=C NO_COLOR=1', 100, '####'],
  ])('with %s draws a QR code without colours', async (env, columns, ink) => {
    const { log, screen } = await shows(columns, env, 'show alice --qr')
    expect(screen).toContain(ink)
    // eslint-disable-next-line no-control-regex
    expect(log).not.toMatch(/\x1b\[38;5;16|\x1b\[48;5/)
    if (env.startsWith('LC_ALL')) expect(screen).not.toMatch(/[▀▄█]/)
  })

  it('with CI draws none', async () => {
    const { screen } = await shows(80, 'CI=1', 'show alice --qr')
    expect(screen).toContain('a QR code needs a terminal')
  })
})

/** A watch that has shown a code. */
async function watching(env: string, columns = 80): Promise<Terminal> {
  const terminal = openTerminal(await makeStore(['alice']), columns, 20)
  terminal.type(`clear; env ${env} ${command} code alice --watch; echo "en""ded $?"`)
  await until(() => /^\d{6}/m.test(terminal.screen()))
  return terminal
}

describe('code --watch at a terminal', () => {
  it.each([
    ['A=1', /\d{6} {2}━+/],
    ['LC_ALL=C', /\d{6} {2}#*-* +\d+ s/],
    ['TERM=dumb', /^\d{6}$/m],
    ['NO_COLOR=1', /^\d{6}$/m],
  ])('with %s ends with one Ctrl-C, on a line of its own', async (env, shown) => {
    const terminal = await watching(env)
    expect(terminal.screen()).toMatch(shown)
    terminal.press('C-c')
    await until(() => terminal.screen().includes('ended 130'))
    expect(terminal.screen()).toMatch(/^ended 130$/m)
    expect(terminal.showsCursor()).toBe(true)
  })

  it('that is too narrow for the countdown prints lines', async () => {
    const terminal = await watching('A=1', 20)
    expect(terminal.screen()).toMatch(/^\d{6}$/m)
    terminal.press('C-c')
    await until(() => terminal.screen().includes('ended 130'))
  })
})
