/* SPDX-License-Identifier: MIT */
/* Reading each kind of trigger from the frame of its map; slots of the table of forms. */
#ifndef SCHEDD_TRIGGER_TRIGGER_READ_H
#define SCHEDD_TRIGGER_TRIGGER_READ_H

#include "trigger/trigger_form.h"

int trigger_read_cron(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err);
int trigger_read_calendar(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err);

/* Reads any form. Of frame the first group is set, the rest zero. */
int trigger_read_any(const struct value *value, struct trigger_frame *frame,
    struct schedd_trigger **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Puts the key and "trigger: " before a sentence that knows neither; returns rc. */
int trigger_read_error(
    const struct trigger_frame *frame, const char *key, struct schedd_error *err, int rc);
/* An instant. date_is_end: a date alone means its last microsecond. */
int trigger_read_time(const struct trigger_frame *frame, const struct value *value, const char *key,
    bool date_is_end, schedd_time *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* A length of time up to TRIGGER_SPAN_MAX. */
int trigger_read_span(const struct trigger_frame *frame, const struct value *value, const char *key,
    schedd_span *out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
