#!/bin/sh
# SPDX-License-Identifier: MIT
# Strangers' programs are C and C++ of several standards: each public header compiles alone in all of
# them, without our flags, and what it declares is C's in C++ too.
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0
for header in lib/include/schedd/*.h; do
	name=schedd/$(basename "$header")
	for standard in c11 c17 c++11 c++17; do
		case $standard in c++*) language=c++ ;; *) language=c ;; esac
		printf '#include <%s>\nint main(void);\n' "$name" |
			${CC:-cc} -std=$standard -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Ilib/include -x $language - ||
			status=1
	done
done
# A function that were C++'s would be asked for by another name.
printf '%s\n' '#include <schedd/scheduler.h>' 'void *used[] = {(void *)schedd_scheduler_new, (void *)schedd_job_new,' \
	'(void *)schedd_trigger_next, (void *)schedd_loop_free, (void *)schedd_error_name, (void *)schedd_clock_system};' |
	${CC:-cc} -std=c++17 -w -Ilib/include -x c++ -c -o /tmp/public_headers.$$.o - || status=1
nm -u /tmp/public_headers.$$.o | grep -v ' schedd_\| _GLOBAL_OFFSET' && status=1
rm -f /tmp/public_headers.$$.o
exit "$status"
