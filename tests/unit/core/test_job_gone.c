/* SPDX-License-Identifier: MIT */
#include "core/changes/job_gone.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include "core/frame/store_slot.h"
#include "support/core_fixture.h"

/* What is told of one job may come ten thousand times an hour. */
Test(job_gone, one_id_that_goes_again_and_again_takes_no_more_than_many)
{
	struct core_fixture core = {0};
	struct entry *entry;
	size_t before;

	core_open(&core, NULL);
	cr_assert_eq(core_add(&core, "{\"id\":\"again\",\"shell\":\"true\",\"trigger\":{\"manual\":true}}"), 0);
	entry = entry_find(core.scheduler, "again");
	cr_assert(entry);
	entry->store->shared = true;
	job_gone_keep(entry);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 300000; i++)
		job_gone_keep(entry);
	cr_assert_lt(mallinfo2().uordblks - before, (size_t)4 << 20);
	job_gone_end(entry->store);
	entry->store->shared = false;
	core_close(&core);
}
