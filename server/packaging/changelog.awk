# SPDX-License-Identifier: MIT
# CHANGELOG.md as a Debian changelog: awk -v contact=… -v date=… -f changelog.awk CHANGELOG.md
function finish() { if (open) printf "\n -- %s  %s\n\n", contact, date; open = 0 }
function wrap(text, first,    line, word, count, i, words) {
	count = split(text, words, " ")
	line = first
	for (i = 1; i <= count; i++) {
		if (length(line " " words[i]) > 78 && line !~ /^ *\*?$/) { print line; line = "   " }
		line = line " " words[i]
	}
	print line
}
/^## / {
	finish()
	version = $2
	sub(/,$/, "", version)
	printf "schedd (%s) unstable; urgency=medium\n\n", version
	open = 1
	next
}
open && /^### / { sub(/^### /, ""); printf "\n  [ %s ]\n", $0; next }
open && /^- / { sub(/^- /, ""); gsub(/`/, ""); wrap($0, "  *") ; next }
open && /[^ ]/ { gsub(/`/, ""); wrap($0, "  *") }
END { finish() }
