# SPDX-License-Identifier: MIT
# fish completion for schedctl, which itself answers what could stand at the
# cursor (schedctl __complete). Nothing that comes back is ever evaluated.

function __schedctl_complete
	# The words without their quotes, the one at the cursor as far as it was typed.
	set -l current (string unescape -- (commandline -ct))
	or set current (string replace -r -- '^[\'"]' '' (commandline -ct))
	set -l words (commandline -opc) "$current"
	set -l at (math (count $words) - 1)
	set -l answer (command $words[1] __complete $at -- $words 2>/dev/null </dev/null)
	or return
	# "--option=" stands before each value, as fish replaces the whole word.
	set -l before (string match -r -- '^--[^=]+=' $current)
	switch "$answer[1]"
		case :words
			for line in $answer[2..-1]
				printf '%s%s\n' "$before" $line
			end
		case :files
			__fish_complete_path (string replace -r -- '^--[^=]+=' '' $current)
		case :directories
			__fish_complete_directories (string replace -r -- '^--[^=]+=' '' $current)
		case ':command *'
			set -l first (string replace ':command ' '' $answer[1])
			set -l rest $words[(math $first + 1)..-1]
			complete -C (string join ' ' -- (string escape -- $rest[1..-2]) $current)
	end
end

complete -c schedctl -f -k -a '(__schedctl_complete)'
