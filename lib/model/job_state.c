/* SPDX-License-Identifier: MIT */
/* The changing half of a job: plain numbers and two owned texts. */
#include "model/job_place.h"

#include <stdlib.h>
#include <string.h>

void job_state_init(struct job_state *state)
{
	memcpy(state, job_place_defaults(JOB_IN_STATE), sizeof(*state));
}

void job_state_clear(struct job_state *state)
{
	free(state->paused_reason);
	free(state->invalid);
	job_state_init(state);
}
