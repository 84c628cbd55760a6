# SPDX-License-Identifier: MIT
# bash completion for schedctl. Works with and without the bash-completion
# package: source it, or let cmake --install put it in its place.
#
# schedctl itself answers what could stand at the cursor (schedctl __complete);
# nothing that comes back is ever evaluated.

# The words of the line as the user means them: bash splits at =, : and @ too.
_schedctl_words() {
	local i joined=
	_schedctl_line=()
	_schedctl_at=0
	for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
		local word=${COMP_WORDS[i]}
		if [[ $i -gt 0 && -n $joined && ($word == [=:@]* || ${COMP_WORDS[i - 1]} == *[=:@]) ]] &&
			_schedctl_touching "$i"; then
			_schedctl_line[${#_schedctl_line[@]} - 1]+=$word
		else
			_schedctl_line+=("$word")
		fi
		joined=1
		if ((i == COMP_CWORD)); then
			_schedctl_at=$((${#_schedctl_line[@]} - 1))
		fi
	done
}

# Does word number $1 touch the one before it on the line?
_schedctl_touching() {
	local i rest=$COMP_LINE
	for ((i = 0; i < $1; i++)); do
		rest=${rest#"${rest%%[![:space:]]*}"}
		rest=${rest#"${COMP_WORDS[i]}"}
	done
	[[ $rest != [[:space:]]* && -n $rest ]]
}

# A word as typed, without its quotes and backslashes; no expansion happens.
_schedctl_unquote() {
	local text=$1 out= quote= c i
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		case $quote$c in
		\" | \') quote=$c ;;
		\"\" | \'\') quote= ;;
		'\' | '"\')
			i=$((i + 1))
			out+=${text:i:1}
			;;
		*) out+=$c ;;
		esac
	done
	_schedctl_plain=$out
}

# A candidate as it has to stand on the line, behind the quote that was typed (or none).
_schedctl_quote() {
	local text=$1 quote=$2 special i c
	_schedctl_quoted=
	case $quote in
	\') special=\' ;;
	\") special='[\"$`]' ;;
	*) special='[][[:space:]!"#$&'\''()*;<>?\\^`{|}~]' ;;
	esac
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		if [[ $quote == \' && $c == \' ]]; then
			c="'\''"
		elif [[ $c == $special || ($quote == \" && $c == \\) ]]; then
			c=\\$c
		fi
		_schedctl_quoted+=$c
	done
}

_schedctl_candidates() {
	local i line word typed=$1 quote=$2 before= end=' '
	# bash replaces only what stands behind the last =, : or @ of the word.
	if [[ -z $quote && $typed == *[=:@]* ]]; then
		for ((i = ${#typed} - 1; i >= 0; i--)); do
			[[ ${typed:i:1} == [=:@] && $COMP_WORDBREAKS == *"${typed:i:1}"* ]] || continue
			before=${typed:0:i+1}
			break
		done
		# The candidates are values: the option is not part of them.
		[[ $typed == --*=* ]] && before=${before#--*=}
		# A word that begins with @ is completed as a whole.
		[[ $before == @ ]] && before=
	fi
	# Within quotes readline itself closes the quote and adds the blank.
	if [[ -n $quote ]]; then
		end=
		compopt +o nospace 2>/dev/null
	fi
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		_schedctl_quote "${word#"$before"}" "$quote"
		if [[ $word == *[/=] ]]; then
			compopt -o nospace 2>/dev/null
			COMPREPLY+=("$_schedctl_quoted")
		else
			# A quote at the end would be taken for the closing one.
			[[ -n $quote && $_schedctl_quoted == *"$quote" ]] && _schedctl_quoted+=$quote
			COMPREPLY+=("$_schedctl_quoted$end")
		fi
	done
}

# Words behind "--" are a command line of their own.
_schedctl_command() {
	local first=$1 offset=0 i
	for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && offset=$((i + 1)) && break
	done
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "$offset"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$offset"
	elif ((COMP_CWORD == offset)); then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -c -- "$first" | sort -u)
	else
		compopt -o filenames -o default 2>/dev/null
	fi
}

_schedctl() {
	local _schedctl_line _schedctl_at _schedctl_plain _schedctl_quoted
	local directive answer current typed quote= words=() word
	COMPREPLY=()
	_schedctl_words
	for word in "${_schedctl_line[@]}"; do
		_schedctl_unquote "$word"
		words+=("$_schedctl_plain")
	done
	current=${words[_schedctl_at]}
	answer=$("${COMP_WORDS[0]}" __complete "$_schedctl_at" -- "${words[@]}" 2>/dev/null </dev/null) || return 0
	directive=${answer%%$'\n'*}
	case $directive in
	:words)
		typed=${COMP_WORDS[COMP_CWORD]}
		[[ $typed == [\"\']* ]] && quote=${typed:0:1}
		# The order is schedctl's: runs come newest first.
		compopt -o nospace -o nosort 2>/dev/null || compopt -o nospace 2>/dev/null
		[[ $answer == *$'\n'* ]] && _schedctl_candidates "$current" "$quote" <<<"${answer#*$'\n'}"
		;;
	:files | :directories)
		local flag=-f
		[[ $directive == :directories ]] && flag=-d
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen "$flag" -- "${current##--*=}")
		;;
	:command*) _schedctl_command "$current" ;;
	esac
}

complete -F _schedctl schedctl
