/* SPDX-License-Identifier: MIT */
/* JSON as Flask-APScheduler writes it: members by name, blanks behind commas and colons, ASCII alone. */
#ifndef SCHEDD_SERVER_HTTP_FLASK_JSON_H
#define SCHEDD_SERVER_HTTP_FLASK_JSON_H

#include "base/strbuf.h"
#include "base/value.h"

void flask_json_write(struct strbuf *out, const struct value *value);

#endif
