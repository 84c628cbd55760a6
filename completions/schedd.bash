# SPDX-License-Identifier: MIT
# bash completion for schedd, whose own help lists its options.

_schedd() {
	local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	# bash splits --option=value at the equals sign.
	if [[ $current == = ]]; then
		current=
	elif [[ $option == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $option in
	--socket | --config | --log-file)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	--state-dir)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		;;
	--log-level) mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$current") ;;
	--log-format) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$current") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help 2>/dev/null </dev/null |
			sed -n 's/^ .*\(--[a-z][a-z-]*\) .*/\1/p')" -- "$current")
		;;
	esac
}

complete -F _schedd schedd
