/* SPDX-License-Identifier: MIT */
/* The other half of proto/methods.c: which function answers which row. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_ROWS_H
#define SCHEDD_SERVER_RPC_RPC_ROWS_H

struct rpc_call;

/* Name, handler, and whether its answer may be large. */
#define RPC_ROWS(ROW)                                                                              \
	ROW("server.hello", rpc_server_hello, false)                                               \
	ROW("server.ping", rpc_server_ping, false)                                                 \
	ROW("server.status", rpc_server_status, false)                                             \
	ROW("server.stats", rpc_server_stats, true)                                                \
	ROW("server.reload", rpc_server_reload, false)                                             \
	ROW("server.backup", rpc_server_backup, false)                                             \
	ROW("server.restore", rpc_server_restore, false)                                           \
	ROW("server.shutdown", rpc_server_shutdown, false)                                         \
	ROW("scheduler.pause", rpc_server_pause, false)                                            \
	ROW("scheduler.resume", rpc_server_resume, false)                                          \
	ROW("cron.table_get", rpc_cron_get, true)                                                  \
	ROW("cron.table_set", rpc_cron_set, false)                                                 \
	ROW("cron.table_remove", rpc_cron_remove, false)                                           \
	ROW("token.add", rpc_token_add, false)                                                     \
	ROW("token.list", rpc_token_list, false)                                                   \
	ROW("token.remove", rpc_token_remove, false)                                               \
	ROW("config.get", rpc_server_config, false)                                                \
	ROW("job.add", rpc_job_add, false)                                                         \
	ROW("job.get", rpc_job_get, false)                                                         \
	ROW("job.list", rpc_job_list, true)                                                        \
	ROW("job.export", rpc_job_export, true)                                                    \
	ROW("job.modify", rpc_job_modify, false)                                                   \
	ROW("job.reschedule", rpc_job_reschedule, false)                                           \
	ROW("job.rename", rpc_job_rename, false)                                                   \
	ROW("job.remove", rpc_job_remove, false)                                                   \
	ROW("job.pause", rpc_job_pause, false)                                                     \
	ROW("job.resume", rpc_job_resume, false)                                                   \
	ROW("job.run", rpc_job_run, false)                                                         \
	ROW("job.why", rpc_job_why, true)                                                          \
	ROW("job.apply", rpc_apply_jobs, true)                                                     \
	ROW("job.import", rpc_apply_import, true)                                                  \
	ROW("run.list", rpc_run_list, true)                                                        \
	ROW("run.get", rpc_run_get, false)                                                         \
	ROW("run.kill", rpc_run_kill, false)                                                       \
	ROW("run.retry", rpc_run_retry, false)                                                     \
	ROW("run.purge", rpc_run_purge, false)                                                     \
	ROW("run.log", rpc_log_read, true)                                                         \
	ROW("run.wait", rpc_wait_run, false)                                                       \
	ROW("group.list", rpc_store_groups, false)                                                 \
	ROW("group.set", rpc_store_group_set, false)                                               \
	ROW("store.list", rpc_store_list, false)                                                   \
	ROW("store.add", rpc_store_add, false)                                                     \
	ROW("store.remove", rpc_store_remove, false)                                               \
	ROW("store.check", rpc_store_check, false)                                                 \
	ROW("store.move", rpc_store_move, false)                                                   \
	ROW("store.copy", rpc_store_copy, false)                                                   \
	ROW("executor.list", rpc_store_executors, false)                                           \
	ROW("executor.add", rpc_store_executor_add, false)                                         \
	ROW("executor.remove", rpc_store_executor_remove, false)                                   \
	ROW("executor.restart", rpc_store_executor_restart, false)                                 \
	ROW("node.list", rpc_node_list, false)                                                     \
	ROW("node.drain", rpc_node_drain, false)                                                   \
	ROW("node.resume", rpc_node_resume, false)                                                 \
	ROW("node.forget", rpc_node_forget, false)                                                 \
	ROW("trigger.next", rpc_trigger_next, false)                                               \
	ROW("event.subscribe", rpc_event_subscribe, false)                                         \
	ROW("event.unsubscribe", rpc_event_unsubscribe, false)

#define RPC_ROW_DECLARED(name, handler, heavy) void handler(struct rpc_call *call);
RPC_ROWS(RPC_ROW_DECLARED)

#endif
