/* SPDX-License-Identifier: MIT */
/* Who looks again in a moment whose a job is: each is called once, in its time or when all ends. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>

/* Between two looks, and a bit. */
#define MOMENT (SCHEDD_SECOND / 10)

struct later {
	struct schedd_scheduler *scheduler;
	int calls;
	bool again; /* it asks for another moment */
	bool given; /* and was given one */
};

static void later_called(void *context)
{
	struct later *later = context;

	later->calls++;
	if (later->again)
		later->given = scheduler_refresh_later(later->scheduler, later_called, later);
}

static void later_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	(void)err;
	(void)result;
	*(int *)context = rc;
}

Test(share_later, calls_each_once_in_a_moment)
{
	struct core_fixture f = {0};
	struct later first, second;

	core_open(&f, NULL);
	first = (struct later){.scheduler = f.scheduler};
	second = (struct later){.scheduler = f.scheduler, .again = true};
	cr_assert(scheduler_refresh_later(f.scheduler, later_called, &first));
	cr_assert(scheduler_refresh_later(f.scheduler, later_called, &second));
	core_settle(&f);
	cr_expect_eq(first.calls + second.calls, 0, "not at once");
	core_advance(&f, MOMENT);
	cr_expect_eq(first.calls, 1);
	cr_expect(second.calls >= 1 && second.given, "who asks for another moment has it");
	second.again = false;
	core_advance(&f, 10 * MOMENT);
	cr_expect_eq(first.calls, 1);
	core_close(&f);
}

Test(share_later, calls_who_still_waits_when_it_stops)
{
	struct core_fixture f = {0};
	struct later waiting, stubborn;
	int answer = -1;

	core_open(&f, NULL);
	waiting = (struct later){.scheduler = f.scheduler};
	stubborn = (struct later){.scheduler = f.scheduler, .again = true};
	cr_assert(scheduler_refresh_later(f.scheduler, later_called, &waiting));
	cr_assert(scheduler_refresh_later(f.scheduler, later_called, &stubborn));
	scheduler_drain(f.scheduler, 0, SCHEDULER_DRAIN_WAIT, (struct scheduler_reply){later_answered, &answer});
	core_settle(&f);
	cr_expect_eq(answer, 0, "it has stopped");
	cr_expect_eq(waiting.calls, 1);
	cr_expect_eq(stubborn.calls, 1);
	cr_expect_not(stubborn.given, "there is no moment left");
	cr_expect_not(scheduler_refresh_later(f.scheduler, later_called, &waiting));
	core_close(&f);
	cr_expect_eq(waiting.calls + stubborn.calls, 2, "and nobody a second time");
}

Test(share_later, calls_who_still_waits_when_it_is_freed)
{
	struct core_fixture f = {0};
	struct later waiting, stubborn;

	core_open(&f, NULL);
	waiting = (struct later){.scheduler = f.scheduler};
	stubborn = (struct later){.scheduler = f.scheduler, .again = true};
	cr_assert(scheduler_refresh_later(f.scheduler, later_called, &waiting));
	cr_assert(scheduler_refresh_later(f.scheduler, later_called, &stubborn));
	core_close(&f);
	cr_expect_eq(waiting.calls, 1);
	cr_expect_eq(stubborn.calls, 1);
	cr_expect_not(stubborn.given);
}
