# SPDX-License-Identifier: MIT
# fish completion for schedd, whose own help lists its options.

function __schedd_options
	set -l words (commandline -opc)
	command $words[1] --help 2>/dev/null </dev/null |
		string replace -r -f -- '^ .*?(--[a-z][a-z-]*)(?: [A-Z]+)? +(.*)' '$1\t$2'
end

complete -c schedd -f -a '(__schedd_options)'
complete -c schedd -l socket -r -F
complete -c schedd -l config -r -F
complete -c schedd -l log-file -r -F
complete -c schedd -l state-dir -x -a '(__fish_complete_directories)'
complete -c schedd -l log-level -x -a 'error warning info debug'
complete -c schedd -l log-format -x -a 'text json'
