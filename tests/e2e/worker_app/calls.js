// SPDX-License-Identifier: MIT
// Functions for the tests of the Node worker.
'use strict';

const childProcess = require('child_process');
const fs = require('fs');

const { currentRun } = globalThis.schedd;
const rest = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

exports.add = (a, b, options) => (a + b) * ((options && options.factor) || 1);
exports.says = (name) => {
	console.log('to stdout', name);
	console.error('to stderr');
	process.stdout.write('half a line');
	return { list: [1, 2.5, null, 'é'], big: 2 ** 40 };
};
exports.told = () => {
	const run = currentRun();
	return { job: run.job, run: run.run, attempt: run.attempt, at: run.scheduledAt.toISOString(), cwd: process.cwd() };
};
exports.fails = () => { throw new RangeError('it is broken'); };
exports.rejects = async () => { await rest(0.01); throw new Error('later'); };
exports.rests = async (seconds) => { await rest(seconds); return 'rested'; };
exports.says_slowly = async (seconds, text) => {
	for (let i = 0; i < 3; i++) {
		process.stdout.write(`${text} ${i}, `);
		await rest(seconds);
		console.log('done');
	}
};
exports.a_function = () => () => 1;
exports.huge = (size) => 'z'.repeat(size);
exports.ends = (code) => process.exit(code);
exports.deep = { er: { self() { return this === exports.deep.er; } } };

// What must not take the pool with it.
exports.nothing = () => undefined;
exports.kills_itself = async (signal) => { process.kill(process.pid, signal); await rest(60); };
exports.dies_later = (seconds) => { setTimeout(() => { throw new Error('after its end'); }, seconds * 1000); };
exports.nobody_catches = async () => { Promise.reject(new Error('nobody waits')); await rest(60); };
exports.garbage = async () => { fs.writeSync(3, Buffer.from([0xc1, 0xc1, 0xc1])); await rest(60); };
exports.closes = async () => { fs.closeSync(3); await rest(60); };
exports.floods_past_node = (kilobytes) => {
	const piece = Buffer.alloc(1024, 'y\n');
	for (let i = 0; i < kilobytes; i++)
		fs.writeSync(1, piece);
};
exports.has_a_child = () => childProcess.spawnSync('echo', ['from a child'], { stdio: 'inherit' }).status;
exports.writes_bytes = () => { process.stdout.write(new Uint8Array([104, 105, 10])); };
exports.goes_away = () => { process.chdir('/'); };
exports.spins = (mark) => {
	fs.appendFileSync(mark, `${process.pid}\n`);
	for (;;);
};
exports.unprintable = () => { throw Object.create(null, { message: { get() { throw new Error('no'); } } }); };
exports.throws = (what) => { throw what; };
exports.throws_much = () => { throw new Error('m'.repeat(1 << 24)); };
const odd = {
	nan: NaN, list: [1, Infinity], big: 10n ** 30n, map: new Map([[1, 2]]), buffer: Buffer.alloc(1 << 26), inside: { data: Buffer.from('x') },
	circle: [], date: new Date(0), left_out: { a: undefined, b: 1 }, strings: ['z'.repeat(1 << 26), 'y'], rows: Array(1 << 20).fill(7),
};
odd.circle.push(odd.circle);
exports.odd = (name) => odd[name];
