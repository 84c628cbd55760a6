/* SPDX-License-Identifier: MIT */
/*
 * Triggers for embedders: made from JSON or from canonical text, asked for
 * their fire times. See schedd-time(7) for the forms.
 */
#ifndef SCHEDD_TRIGGER_H
#define SCHEDD_TRIGGER_H

#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/export.h>

SCHEDD_BEGIN

struct schedd_trigger;

/*
 * Makes a trigger from its JSON ({"cron":"30 2 * * *","timezone":"Europe/Berlin"})
 * or its canonical text. now anchors intervals without a start. timezone (NULL:
 * UTC) is for forms that name none. *out has one reference, to be given back
 * with schedd_trigger_unref. Thread-safe. SCHEDD_EINVAL, SCHEDD_ENOMEM.
 */
SCHEDD_API int schedd_trigger_parse(const char *text, const char *timezone, schedd_time now,
    struct schedd_trigger **out, struct schedd_error *err);
SCHEDD_API struct schedd_trigger *schedd_trigger_ref(struct schedd_trigger *trigger);
SCHEDD_API void schedd_trigger_unref(struct schedd_trigger *trigger);
/* The earliest fire time at or after from, SCHEDD_TIME_NONE when it has ended. Thread-safe. */
SCHEDD_API schedd_time schedd_trigger_next(const struct schedd_trigger *trigger, schedd_time from);
/* The canonical JSON form, to be freed with free(); NULL: no memory. */
SCHEDD_API char *schedd_trigger_json(const struct schedd_trigger *trigger);

SCHEDD_END

#endif
