// What `waybill completion` prints: one small function per shell, which hands the words of the line to `waybill complete`
// and the answers to the shell. The words go as arguments and are never evaluated: a Tab runs nothing that a person typed.
// The answers: a value a line, a tab and its description behind it; or `:files`, where the shell knows better.

export const FILES = ':files';

const BASH = `# bash completion of waybill: eval "$(waybill completion bash)"
_waybill() {
  local line cur=\${COMP_WORDS[COMP_CWORD]}
  [[ $cur == '=' ]] && cur=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <(waybill complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
}
complete -F _waybill waybill
`;

const ZSH = `#compdef waybill
# zsh completion of waybill: eval "$(waybill completion zsh)", or a file _waybill in a folder of $fpath
_waybill() {
  local line
  local -a found
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then
      _files
      return
    fi
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(waybill complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)
  _describe waybill found
}
if [[ $funcstack[1] == _waybill ]]; then _waybill; else compdef _waybill waybill; fi
`;

const FISH = `# fish completion of waybill: waybill completion fish | source
function __waybill_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l found (waybill complete -- $before[2..] "$current" 2>/dev/null </dev/null)
  if test "$found[1]" = '${FILES}'
    __fish_complete_path "$current"
  else
    string join \\n -- $found
  end
end
complete -c waybill -f -a '(__waybill_complete)'
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };
export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS) as Shell[];

export const COMPLETION_HELP = `
  bash   eval "$(waybill completion bash)"    in ~/.bashrc
  zsh    eval "$(waybill completion zsh)"     in ~/.zshrc, after compinit
  fish   waybill completion fish | source     in ~/.config/fish/config.fish

It completes commands, flags, their choices, file names, and the destinations of the configuration file: that file is
loaded for it, Redis is not asked. waybill must be on the PATH.`;
