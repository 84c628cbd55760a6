/* SPDX-License-Identifier: MIT */
/* Dates as at(1) and date(1) take them: "Jul 31", "24 dec 2026", "12/24/2026", "24.12.2026". */
#ifndef SCHEDD_TRIGGER_WHEN_DATE_H
#define SCHEDD_TRIGGER_WHEN_DATE_H

#include "trigger/when_reader.h"

/* A date into the reading. 1: it stood there, 0: something else does, else SCHEDD_EINVAL. */
int when_date_take(struct when_reader *reader, struct when_reading *out);
/* The year of a date that came without one, where it stands further behind. */
void when_date_late_year(struct when_reader *reader, struct when_reading *out);

#endif
