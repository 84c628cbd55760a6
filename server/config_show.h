/* SPDX-License-Identifier: MIT */
/* Settings as others see them: config.get, what a reload changes, --help-config. */
#ifndef SCHEDD_SERVER_CONFIG_SHOW_H
#define SCHEDD_SERVER_CONFIG_SHOW_H

#include "base/strbuf.h"
#include "server/config.h"

/* The settings that a restart alone changes, by key, to be kept: as they are in force when config was what it began with. */
struct value config_show_begun(const struct config *config, struct arena *arena);
/*
 * Which settings differ: lists of keys that a reload takes over and of keys
 * that need a restart, as they are not what begun says, however often it was read since.
 */
void config_show_changes(const struct config *old, const struct config *new, const struct value *begun,
    struct arena *arena, struct value *changed, struct value *restart);
/* {"files","settings":[{key,value,default,origin,live,doc}]}; key NULL: all, else that one or those
 * below it. */
struct value config_show_value(const struct config *config, const char *key, struct arena *arena);
/* The text of --help-config. */
void config_show_help(struct strbuf *out);
/* The list of settings as roff, for schedd.yaml(5). */
void config_show_manual(struct strbuf *out);

#endif
