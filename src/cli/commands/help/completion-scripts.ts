import type { Command } from 'commander'
import { commandNames } from '../../commands-of.js'

/**
 * One script per shell. Each asks `a2a-totp complete` what to offer, so an installed script knows what a later version
 * of the program can do. Standard input is empty, so that no passphrase is asked for in the middle of a line.
 */
export const completions = {
  bash: (program: Command) => `# a2a-totp completion for bash
${about(program)}
_a2a_totp() {
  local one typed='' glued='' before=() asked=() line
  # bash splits words at = and :, and leaves quotes and backslashes in them.
  for one in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    one=\${one//[\\\\\\'\\"]/}
    if [[ $one == [=:] ]] && [ \${#before[@]} -gt 0 ]; then
      typed=\${before[\${#before[@]}-1]}$one
      before=("\${before[@]:0:\${#before[@]}-1}" "$typed")
      glued=yes
    elif [ "$glued" ]; then
      before=("\${before[@]:0:\${#before[@]}-1}" "$typed$one")
      glued=
    else
      before+=("$one")
    fi
  done
  typed=\${before[\${#before[@]}-1]}
  asked=("--word=$typed")
  for one in "\${before[@]:0:\${#before[@]}-1}"; do asked+=("--before=$one"); done
  # What is before the last = or : stays where it is.
  local kept=''
  case "$typed" in *[=:]*) kept=\${typed%"\${typed##*[=:]}"} ;; esac
  case "\${COMP_WORDS[COMP_CWORD]}" in "$kept"*) kept='' ;; esac
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = :files ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${typed##*=}")
    elif [ "$line" ]; then
      line=\${line%%$'\\t'*}
      COMPREPLY+=("\${line#"$kept"}")
    fi
  done < <(a2a-totp complete "\${asked[@]}" </dev/null 2>/dev/null)
}
complete -F _a2a_totp a2a-totp
`,
  zsh: (program: Command) => `#compdef a2a-totp
# a2a-totp completion for zsh
${about(program)}
_a2a_totp() {
  local one line word
  local -a asked offers plain
  asked=("--word=\${(Q)words[CURRENT]}")
  for one in "\${(@)words[2,CURRENT-1]}"; do asked+=("--before=\${(Q)one}"); done
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compset -P '*=' 2>/dev/null
      _files
      return
    fi
    word=\${line%%$'\\t'*}
    plain+=("$word")
    if [[ $line == *$'\\t'* ]]; then offers+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); else offers+=("\${word//:/\\\\:}"); fi
  done < <(a2a-totp complete "\${asked[@]}" </dev/null 2>/dev/null)
  if (( \${#plain} == 0 )); then return 0
  elif (( \${+functions[_describe]} )); then _describe a2a-totp offers
  else compadd -- "\${plain[@]}"; fi
}
if [[ $funcstack[1] == _a2a-totp ]]; then _a2a_totp "$@"; else compdef _a2a_totp a2a-totp; fi
`,
  fish: (program: Command) => `# a2a-totp completion for fish
${about(program)}
function __a2a_totp_complete
    set -l word (commandline -ct | string collect --allow-empty)
    set -l asked --word=$word
    for one in (commandline -opc)[2..-1]
        set -a asked --before=$one
    end
    set -l offers (a2a-totp complete $asked </dev/null 2>/dev/null)
    if test "$offers[1]" = :files
        set -l kept (string match -r -- '^-.*=' $word)
        for file in (__fish_complete_path (string replace -r -- '^-.*=' '' $word))
            echo "$kept$file"
        end
    else
        printf '%s\\n' $offers
    end
end
complete -c a2a-totp -e
complete -c a2a-totp -f -a '(__a2a_totp_complete)'
`,
  powershell: (program: Command) => `# a2a-totp completion for PowerShell
${about(program)}
Register-ArgumentCompleter -Native -CommandName 'a2a-totp' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $asked = @()
  $word = ''
  foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
    if ($element.Extent.StartOffset -ge $cursorPosition) { break }
    $text = $element.Extent.Text
    if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $text = $element.Value }
    if ($element.Extent.EndOffset -ge $cursorPosition) { $word = $text } else { $asked += "--before=$text" }
  }
  $asked = @("--word=$word") + $asked
  $offers = @($null | & a2a-totp complete @asked 2>$null)
  # PowerShell offers files where there is no result.
  if ($offers.Count -gt 0 -and $offers[0] -eq ':files') { return }
  if ($offers.Count -eq 0) { return '' }
  foreach ($offer in $offers) {
    $name, $about = $offer -split "\`t", 2
    if (-not $about) { $about = $name }
    [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $about)
  }
}
`,
} satisfies Record<string, (program: Command) => string>

/** For people who read a script. */
const about = (program: Command): string =>
  `# It asks the program what to offer after each of its commands:\n# ${commandNames(program).join(', ')}.`
