# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=x.c -DFOLDER=completions -P embed.cmake: the scripts as C strings.
set(rows "")
foreach(pair "bash:schedctl.bash" "zsh:_schedctl" "fish:schedctl.fish")
	string(REPLACE ":" ";" pair ${pair})
	list(GET pair 0 shell)
	list(GET pair 1 file)
	file(READ ${FOLDER}/${file} hex HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(APPEND rows "static const char text_${shell}[] = {${bytes}0};\n")
	string(APPEND table "\t{\"${shell}\", text_${shell}},\n")
endforeach()
file(WRITE ${OUTPUT} "/* Made by embed.cmake. */\n#include \"cmd/completion_scripts.h\"\n\n#include <stddef.h>\n\n"
	"${rows}\nconst struct completion_script completion_scripts[] = {\n${table}\t{NULL, NULL},\n};\n")
