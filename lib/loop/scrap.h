/* SPDX-License-Identifier: MIT */
/* Much memory that is not needed any more, given back in pieces: nobody waits for all of it. */
#ifndef SCHEDD_LOOP_SCRAP_H
#define SCHEDD_LOOP_SCRAP_H

#include "base/arena.h"
#include "loop/mailbox.h"

/*
 * Takes what the arena holds, which is empty then: freed at once where it is little,
 * with the loop's next turns otherwise, or with the mailbox. On the loop's thread.
 */
void scrap_arena(struct mailbox *mailbox, struct arena *arena);

#endif
