/* SPDX-License-Identifier: MIT */
/* Rows point into three structs by offset; only this file turns that into memory. */
#include "model/job_place.h"

#include <string.h>
#include "model/job_details.h"

static const struct schedd_job job_place_job = {.refs = 1};

static const struct job_state job_place_state = {
    .next_fire = SCHEDD_TIME_NONE,
    .next_run_time = SCHEDD_TIME_NONE,
    .paused_until = SCHEDD_TIME_NONE,
    .revision = 1,
};

const void *job_place_defaults(enum job_field_place place)
{
	static const void *const defaults[] = {
	    [JOB_IN_JOB] = &job_place_job,
	    [JOB_IN_DETAILS] = &job_details_defaults,
	    [JOB_IN_STATE] = &job_place_state,
	    [JOB_NOWHERE] = NULL,
	};

	return defaults[place];
}

static const void *job_place_default(const struct job_field *field)
{
	return (const char *)job_place_defaults(field->place) + field->offset;
}

const void *job_place_peek(const struct job_halves *halves, const struct job_field *field)
{
	const void *base = job_place_defaults(field->place);

	if (field->place == JOB_IN_JOB)
		base = halves->job;
	else if (field->place == JOB_IN_DETAILS)
		base = job_details(halves->job);
	else if (field->place == JOB_IN_STATE && halves->state)
		base = halves->state;
	return (const char *)base + field->offset;
}

void *job_place_edit(const struct job_halves *halves, const struct job_field *field)
{
	void *base = halves->state;

	if (field->place == JOB_IN_JOB)
		base = halves->job;
	else if (field->place == JOB_IN_DETAILS)
		base = job_details_edit(halves->job);
	return base ? (char *)base + field->offset : NULL;
}

bool job_place_same(const struct job_halves *halves, const struct job_field *field)
{
	return memcmp(job_place_peek(halves, field), job_place_default(field), field->width) == 0;
}

void job_place_reset(const struct job_halves *halves, const struct job_field *field)
{
	memcpy(job_place_edit(halves, field), job_place_default(field), field->width);
}

int64_t job_place_integer(const struct job_halves *halves, const struct job_field *field)
{
	const void *at = job_place_peek(halves, field);
	int64_t wide;
	uint32_t narrow;

	if (field->width == 1)
		return *(const uint8_t *)at;
	if (field->width == sizeof(wide)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return field->max > INT32_MAX ? (int64_t)narrow : (int64_t)(int32_t)narrow;
}

int job_place_set_integer(
    const struct job_halves *halves, const struct job_field *field, int64_t number)
{
	void *at = job_place_edit(halves, field);
	uint32_t narrow = (uint32_t)number;

	if (!at)
		return SCHEDD_ENOMEM;
	if (field->width == 1)
		*(uint8_t *)at = (uint8_t)number;
	else if (field->width == sizeof(number))
		memcpy(at, &number, sizeof(number));
	else
		memcpy(at, &narrow, sizeof(narrow));
	return 0;
}
