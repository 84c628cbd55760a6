# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=x.c -DPAGE=page.html -P embed.cmake: the page as a C string.
file(READ ${PAGE} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
file(WRITE ${OUTPUT} "/* Made by embed.cmake. */\n#include \"server/http/http_page_text.h\"\n\n"
	"const char http_page_text[] = {${bytes}0};\n")
