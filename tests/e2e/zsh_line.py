# SPDX-License-Identifier: MIT
"""A real, interactive zsh on a terminal of its own, to press TAB in."""
import os

from bash_line import BashLine


class ZshLine(BashLine):
    """As BashLine. The file lies in a folder of fpath, as when it is installed."""

    def __init__(self, completions, environment):
        # compinit keeps its dump in HOME; -f: no other startup files.
        self.spawn("/usr/bin/zsh", ["zsh", "-f", "-i"], {**environment, "PS1": "$ ", "TERM": "dumb"})
        self.run("unsetopt zle_bracketed_paste prompt_cr prompt_sp; unset zle_bracketed_paste; setopt no_beep no_always_last_prompt no_list_beep")
        self.run(f"fpath=({completions} $fpath); autoload -Uz compinit; compinit -u; zstyle ':completion:*' list-max-items 0")
        self.run(r"""tell() { printf '\n<%s>END\n' "${(qqqq)BUFFER}" }; zle -N tell; bindkey '^Xt' tell; bindkey '^Xk' kill-whole-line""")
        self.run("""all() { local list; zle list-choices }; zle -N all; bindkey '^Xl' all""")

    def clear(self):
        self.send("\x18k")
