/* SPDX-License-Identifier: MIT */
/*
 * One worker process: its socket, on which MessagePack-RPC is spoken
 * (WORKER.md), its descriptors 1 and 2, and its end. It knows of messages, not
 * of calls.
 */
#ifndef SCHEDD_EXECUTOR_WORKER_PROCESS_H
#define SCHEDD_EXECUTOR_WORKER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/message.h"
#include "executor/child.h"
#include "executor/output.h"
#include "executor/worker_world.h"

struct worker_process;

/* All on the loop's thread. The process may be sent to and killed inside, but freed in gone alone. */
struct worker_process_ops {
	/* One whole message, valid during the call. */
	void (*message)(const struct message *message, void *context);
	/* Written past the protocol, to descriptor 1 or 2. */
	void (*raw)(
	    enum output_stream stream, const char *bytes, size_t length, void *context);
	/* It could not be started: "command …: No such file". Only to be freed. */
	void (*failed)(const struct schedd_error *err, void *context);
	/* What it sends is no message, or it closed its socket (reason NULL): nothing more is read. */
	void (*broken)(const char *reason, void *context);
	/* It ended, and all that it sent was handed on. */
	void (*gone)(const struct child_exit *status, void *context);
};

/* Asks for one; until it executes it has no pid. executor and ops must outlive it. NULL and *err. */
struct worker_process *worker_process_new(const struct executor_config *executor,
    struct worker_world *world, const char *user, const struct worker_process_ops *ops,
    void *context, struct schedd_error *err);
/* Kills and reaps what still runs. NULL is fine. */
void worker_process_free(struct worker_process *process);
/* 0: its start is under way. */
pid_t worker_process_pid(const struct worker_process *process);
/* Field 22 of /proc/PID/stat; 0: unknown. */
uint64_t worker_process_start(const struct worker_process *process);
/* Bytes resident now; 0: unknown. */
int64_t worker_process_rss(const struct worker_process *process);
/* A request, or a notification where msgid is 0. SCHEDD_ENOMEM. */
int worker_process_send(struct worker_process *process, uint32_t msgid, const char *method,
    const struct value *params) __attribute__((warn_unused_result));
/* Takes what is in its pipes now, so that it comes before what follows. */
void worker_process_drain(struct worker_process *process);
/* No more calls will come: it reads the end of the socket and is to end by itself. */
void worker_process_dismiss(struct worker_process *process);
/* Has it ended, or not begun? It is still to be freed then. */
bool worker_process_ended(const struct worker_process *process);
/* A signal to its process group. */
void worker_process_signal(struct worker_process *process, int signal);

/*
 * For another program in this process' place: descriptors and what is half
 * read, as often as it is asked; then it is only to be let go.
 */
void worker_process_save(const struct worker_process *process, struct arena *arena,
    struct value *out);
void worker_process_let_go(struct worker_process *process);
/* Closes the descriptors of one that is taken up already. */
void worker_process_save_close(const struct value *from);
/* Takes up what worker_process_save() wrote, its descriptors included. */
struct worker_process *worker_process_resume(const struct executor_config *executor,
    const struct worker_process_ops *ops, void *context, const struct value *from,
    struct schedd_error *err);

#endif
