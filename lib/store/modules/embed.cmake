# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=x.c -DTEXTS=x.lua,y.lua -DHEADER=x.h -DNAME=name -P embed.cmake: texts as one C string.
string(REPLACE "," ";" TEXTS "${TEXTS}")
set(bytes "")
foreach(text ${TEXTS})
	file(READ ${text} hex HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," part "${hex}")
	string(APPEND bytes "${part}")
endforeach()
file(WRITE ${OUTPUT} "/* Made by embed.cmake. */\n#include \"${HEADER}\"\n\nconst char ${NAME}[] = {${bytes}0};\n")
