import type { Command } from 'commander'

/** The commands of a program or a group that its help shows, but for the one that commander adds to a group. */
export const commandsOf = (command: Command): Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => command.commands.includes(one))

export const namesOf = (command: Command): string[] => [command.name(), ...command.aliases()]

/** The names and short names of its commands. */
export const commandNames = (command: Command): string[] => commandsOf(command).flatMap(namesOf)

/** The command of a program or a group with that name or short name. */
export const commandCalled = (command: Command, word: string): Command | undefined =>
  command.commands.find((one) => namesOf(one).includes(word))

/** A command, and what it is a part of. */
export function withParents(command: Command): Command[] {
  return command.parent ? [command, ...withParents(command.parent)] : [command]
}

/** The flags that a command takes, with those of the program. */
export const flagsOf = (command: Command): string[] =>
  [
    ...withParents(command).flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])),
    '--help',
    '-h',
  ].filter((flag) => flag !== undefined)
