# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=x.c -DTEXT=x.lua -DHEADER=x.h -DNAME=name -P embed.cmake: a text as a C string.
file(READ ${TEXT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
file(WRITE ${OUTPUT} "/* Made by embed.cmake. */\n#include \"${HEADER}\"\n\nconst char ${NAME}[] = {${bytes}0};\n")
