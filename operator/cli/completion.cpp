#include <ostream>

#include "cli/command_line.h"
#include "cli/commands.h"

namespace weir {
namespace {

// Each asks the hidden command __complete; the line ":4" at its end means that no file is meant.
constexpr std::string_view kBash = R"(# weir: completion for bash: source <(weir completion bash)
_weir_complete() {
  local answer line word=${COMP_WORDS[COMP_CWORD]}
  answer=$("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :4) compopt +o default 2>/dev/null ;;
      :*) ;;
      "$word"*) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done <<<"$answer"
}
complete -o default -F _weir_complete weir kubectl-weir
)";

constexpr std::string_view kZsh = R"(#compdef weir kubectl-weir
# weir: completion for zsh: source <(weir completion zsh)
_weir() {
  local answer line files=yes
  local -a found
  answer=$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null) || return 1
  for line in "${(@f)answer}"; do
    case $line in
      :4) files= ;;
      :*) ;;
      *$'\t'*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      ?*) found+=("${line//:/\\:}") ;;
    esac
  done
  (( ${#found} )) && _describe weir found
  [[ -n $files ]] && _files
}
compdef _weir weir kubectl-weir
)";

constexpr std::string_view kFish = R"(# weir: completion for fish: weir completion fish | source
function __weir_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l answer ($words[1] __complete -- $words[2..-1] 2>/dev/null)
  for line in $answer
    switch $line
      case ':4'
      case ':*'
        __fish_complete_path (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c weir -f -a '(__weir_complete)'
complete -c kubectl-weir -f -a '(__weir_complete)'
)";

Result<int> run(const Invocation& invocation) {
  const auto& shell = invocation.arguments.operands().front();
  const auto script = shell == "bash"   ? kBash
                      : shell == "zsh"  ? kZsh
                      : shell == "fish" ? kFish
                                        : std::string_view();
  if (script.empty()) return usage_error(invocation, shell + ": must be one of bash, zsh, fish");
  invocation.streams.out << script;
  return exit_code::kOk;
}

}  // namespace

Command completion_command() {
  Command command;
  command.name = "completion";
  command.synopsis = "bash|zsh|fish";
  command.summary = "a script for the shell: completes commands, flags and names of releases";
  command.more =
      "  source <(weir completion bash)       in ~/.bashrc\n"
      "  source <(weir completion zsh)        in ~/.zshrc\n"
      "  weir completion fish | source        in ~/.config/fish/config.fish\n"
      "\n"
      "For `kubectl weir …` link this program a second time, kubectl asks it under that name:\n"
      "\n"
      "  ln -s kubectl-weir \"$(dirname \"$(command -v kubectl-weir)\")/kubectl_complete-weir\"\n";
  command.min_operands = command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
