// SPDX-License-Identifier: MIT
// No-op jobs that are due: how many a second pg-boss or graphile-worker runs and notes as done. One JSON line.
//   due_workers.cjs pg-boss|graphile-worker SOCKET_DIR COUNT
const [, , peer, host, count] = process.argv;
const connection = {host, user: 'postgres', database: 'postgres', max: 10};
const total = Number(count);

async function boss() {
	const Boss = require('pg-boss');
	const boss = new Boss({...connection, schema: 'boss'});
	await boss.start();
	for (let i = 0; i < total; i += 1000)
		await boss.insert(Array.from({length: 1000}, () => ({name: 'noop', data: {}})));
	let ran = 0;
	const begin = process.hrtime.bigint();
	await new Promise(done => boss.work('noop', {batchSize: 100, newJobCheckInterval: 100}, async jobs => {
		if ((ran += jobs.length) >= total)
			done();
	}));
	const db = new (require('pg').Client)(connection);
	await db.connect();
	for (;;) {
		const {rows: [{n}]} = await db.query("SELECT count(*)::int n FROM boss.job WHERE name = 'noop' AND state <> 'completed'");
		if (n === 0)
			break;
	}
	return begin;
}

async function graphile() {
	const {makeWorkerUtils, runOnce, Logger} = require('graphile-worker');
	const pool = new (require('pg').Pool)(connection);
	const options = {pgPool: pool, logger: new Logger(() => () => {}), concurrency: 10};
	const utils = await makeWorkerUtils(options);
	await utils.migrate();
	await pool.query("SELECT graphile_worker.add_job('noop', '{}') FROM generate_series(1, $1)", [total]);
	const begin = process.hrtime.bigint();
	await runOnce({...options, taskList: {noop: async () => {}}});
	return begin;
}

(peer === 'pg-boss' ? boss() : graphile()).then(begin => {
	const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
	console.log(JSON.stringify({peer, per_second: Math.round(total / seconds)}));
	process.exit(0);
}, error => { console.error(error); process.exit(1); });
