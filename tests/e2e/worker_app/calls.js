// SPDX-License-Identifier: MIT
// Functions for the tests of the Node worker.
'use strict';

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
