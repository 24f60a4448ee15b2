import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { git } from './git.js'

/** How a repository of a stranger can bring settings along. */
export const layouts = [
  'a .git folder that is carried along',
  'a bare folder in the work tree',
  'a .git file that points away',
  'a file that .git/config includes',
  'a config.worktree',
] as const
export type Layout = (typeof layouts)[number]

export interface HostileClone {
  /** Where the store lies. */
  readonly cwd: string
  /** The settings whose command was run, with the environment that it saw. */
  readonly fired: () => Record<string, string>
}

/** Settings that have git run a command; `*` stands for the path of a program that tells that it was run. */
export const settings: Readonly<Record<string, string>> = {
  'core.fsmonitor': '*',
  'core.sshCommand': '*',
  'core.pager': '*',
  'core.editor': '*',
  'sequence.editor': '*',
  'core.askPass': '*',
  'core.gitProxy': '*',
  'core.alternateRefsCommand': '*',
  'credential.helper': '!*',
  'diff.external': '*',
  'interactive.diffFilter': '*',
  'gpg.program': '*',
  'gpg.openpgp.program': '*',
  'gpg.x509.program': '*',
  'gpg.ssh.program': '*',
  'gpg.ssh.defaultKeyCommand': '*',
  'uploadpack.packObjectsHook': '*',
  'filter.evil.clean': '*',
  'filter.evil.smudge': '*',
  'diff.evil.textconv': '*',
  'diff.evil.command': '*',
  'merge.evil.driver': '*',
  'alias.rev-parse': '!*',
  'alias.check-ignore': '!*',
  'pager.rev-list': '*',
  'pager.ls-files': '*',
  'pager.cat-file': '*',
  'hook.evil.command': '*',
  'difftool.evil.cmd': '*',
  'mergetool.evil.cmd': '*',
  'tar.evil.command': '*',
  'remote.origin.uploadpack': '*',
  'remote.origin.url': 'ext::*',
  'submodule.evil.update': '!*',
}

/** Settings without a command, which bring the others to bear. */
const enabling: Readonly<Record<string, string>> = {
  'log.showSignature': 'true',
  'core.untrackedCache': 'true',
  'hook.evil.event': 'post-index-change',
  'diff.tool': 'evil',
  'merge.tool': 'evil',
  'submodule.recurse': 'true',
  'protocol.allow': 'always',
  'protocol.ext.allow': 'always',
  'remote.origin.promisor': 'true',
  'remote.origin.fetch': '+refs/heads/*:refs/remotes/origin/*',
}

const hooks = [
  'post-index-change',
  'reference-transaction',
  'pre-auto-gc',
  'post-checkout',
  'fsmonitor-watchman',
]

/** A clone with all of them in it, and a store in its history. `store` is what the file holds. */
export function hostileClone(folder: string, layout: Layout, store: Uint8Array): HostileClone {
  const tree = join(folder, 'tree')
  const embedded = layout === 'a bare folder in the work tree'
  const cwd = embedded ? join(tree, 'evil') : tree
  mkdirSync(cwd, { recursive: true })
  writeFileSync(join(cwd, 'a2a-totp.json'), store, { mode: 0o600 })
  makeRepository(cwd)
  if (embedded) {
    for (const name of readdirSync(join(cwd, '.git'))) renameSync(join(cwd, '.git', name), join(cwd, name))
    rmdirSync(join(cwd, '.git'))
    git(tree, 'init', '-q')
    git(tree, 'add', '-A')
    git(tree, 'commit', '-q', '-m', 'one')
  }
  const canary = canaryIn(folder)
  arm(layout, cwd, (worktree) => configText(worktree, canary.path))
  return { cwd, fired: canary.fired }
}

/** One signed commit, an index that asks fsmonitor, and an object that has to be fetched. */
function makeRepository(top: string): void {
  git(top, 'init', '-q')
  writeFileSync(join(top, '.gitattributes'), '* filter=evil diff=evil merge=evil\n')
  writeFileSync(join(top, 'lost'), 'an object that the clone lacks\n')
  git(top, 'add', '-A')
  sign(top, git(top, 'commit-tree', '-m', 'one', git(top, 'write-tree').trim()).trim())
  git(top, 'update-index', '--fsmonitor')
  const lost = git(top, 'rev-parse', 'HEAD:lost').trim()
  unlinkSync(join(top, '.git/objects', lost.slice(0, 2), lost.slice(2)))
}

/** A program for each setting, by a name of its own, that notes the environment it runs in. */
function canaryIn(folder: string): { path: (key: string) => string; fired: () => Record<string, string> } {
  const nest = join(folder, 'canary')
  const notes = join(folder, 'notes')
  mkdirSync(nest)
  mkdirSync(notes)
  const program = join(nest, 'program')
  writeFileSync(program, `#!/bin/sh\nenv > '${notes}/'"\${0##*/}"\n`)
  chmodSync(program, 0o755)
  for (const name of [...Object.keys(settings), ...hooks]) symlinkSync(program, join(nest, name))
  return {
    path: (key) => join(nest, key),
    fired: () =>
      Object.fromEntries(readdirSync(notes).map((name) => [name, readFileSync(join(notes, name), 'utf8')])),
  }
}

/** The tip gets a signature, which nobody made: to look at it runs gpg.program. */
function sign(tree: string, commit: string): void {
  const text = git(tree, 'cat-file', 'commit', commit)
  const signature = '-----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----'
  const signed = text.replace('\n\n', `\ngpgsig ${signature}\n\n`)
  const id = execFileSync('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], {
    cwd: tree,
    input: signed,
  })
  git(tree, 'update-ref', 'HEAD', id.toString().trim())
}

function configText(worktree: string | undefined, path: (key: string) => string): string {
  const given = Object.entries(settings).map(([key, value]) => [key, value.replace('*', path(key))] as const)
  const lines = [...given, ...Object.entries(enabling), ['core.hooksPath', path('')] as const]
  if (worktree !== undefined) lines.push(['core.worktree', worktree], ['core.bare', 'false'])
  return lines.map(([key, value]) => lineOf(key, value)).join('')
}

function lineOf(key: string, value: string): string {
  const [section = '', ...rest] = key.split('.')
  const name = rest.pop() ?? ''
  const subsection = rest.length > 0 ? ` "${rest.join('.')}"` : ''
  return `[${section}${subsection}]\n\t${name} = "${value}"\n`
}

const partialClone = '[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tpartialClone = origin\n'

function arm(layout: Layout, top: string, config: (worktree?: string) => string): void {
  const append = (file: string, text: string): void => writeFileSync(join(top, file), text, { flag: 'a' })
  if (layout === 'a bare folder in the work tree') {
    append('config', partialClone + config('.'))
    return
  }
  append('.git/config', partialClone)
  if (layout === 'a config.worktree') {
    append('.git/config', '\tworktreeConfig = true\n')
    append('.git/config.worktree', config())
  } else if (layout === 'a file that .git/config includes') {
    append('evil.config', config())
    append('.git/config', '[include]\n\tpath = ../evil.config\n')
  } else append('.git/config', config())
  if (layout === 'a .git file that points away') {
    renameSync(join(top, '.git'), join(top, '../away'))
    append('.git', 'gitdir: ../away\n')
  }
}
