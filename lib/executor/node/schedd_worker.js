#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/*
 * The Node worker of schedd: calls functions of modules as jobs, in a process
 * that stays. schedd starts it with a socket as descriptor 3 and speaks the
 * protocol of proto/WORKER.md there. Nothing but Node itself is needed.
 *
 * "./reports.js:daily.send" is the function daily.send of the module reports.js
 * in the directory that the executor's cwd names; CommonJS and ES modules alike.
 * A function may be async. While it runs,
 *
 *     const { currentRun } = globalThis.schedd;
 *     currentRun();   // { id, job, run, attempt, scheduledAt, deadline, signal }
 *
 * tells which run it is called for; signal is an AbortSignal that a cancel sets.
 */
'use strict';

const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');
const { AsyncLocalStorage } = require('async_hooks');
const { pathToFileURL } = require('url');

const PROTOCOL = 1;
const RESULT_MAX = 65536;
const MESSAGE_MAX = 4096; /* of an error's own text */
const PIECE = 32768;

/* ---- MessagePack ---- */

function packInto(out, value) {
	if (value === null || value === undefined)
		out.push(Buffer.from([0xc0]));
	else if (typeof value === 'boolean')
		out.push(Buffer.from([value ? 0xc3 : 0xc2]));
	else if (typeof value === 'number' && Number.isSafeInteger(value))
		packInteger(out, value);
	else if (typeof value === 'number') {
		const b = Buffer.alloc(9);
		b[0] = 0xcb;
		b.writeDoubleBE(value, 1);
		out.push(b);
	} else if (typeof value === 'string')
		packBytes(out, Buffer.from(value), [0xa0, 32], [0xd9, 0xda, 0xdb]);
	else if (Buffer.isBuffer(value))
		packBytes(out, value, null, [0xc4, 0xc5, 0xc6]);
	else if (Array.isArray(value)) {
		packHead(out, value.length, 0x90, 0xdc);
		value.forEach((item) => packInto(out, item));
	} else {
		const entries = Object.entries(value);
		packHead(out, entries.length, 0x80, 0xde);
		for (const [key, item] of entries) {
			packInto(out, key);
			packInto(out, item);
		}
	}
}

function packInteger(out, value) {
	if (value >= 0 && value < 128)
		out.push(Buffer.from([value]));
	else if (value < 0 && value >= -32)
		out.push(Buffer.from([value & 0xff]));
	else {
		const b = Buffer.alloc(9);
		b[0] = 0xd3;
		b.writeBigInt64BE(BigInt(value), 1);
		out.push(b);
	}
}

function packBytes(out, bytes, fixed, types) {
	const n = bytes.length;
	let head;
	if (fixed && n < fixed[1])
		head = Buffer.from([fixed[0] | n]);
	else if (n < 0x100)
		head = Buffer.from([types[0], n]);
	else if (n < 0x10000)
		head = Buffer.from([types[1], n >> 8, n & 0xff]);
	else {
		head = Buffer.alloc(5);
		head[0] = types[2];
		head.writeUInt32BE(n, 1);
	}
	out.push(head, bytes);
}

function packHead(out, n, fixed, type) {
	if (n < 16) {
		out.push(Buffer.from([fixed | n]));
		return;
	}
	const b = Buffer.alloc(5);
	b[0] = type + 1;
	b.writeUInt32BE(n, 1);
	out.push(b);
}

function pack(value) {
	const out = [];
	packInto(out, value);
	return Buffer.concat(out);
}

class Short extends Error {}

/* Reads one value after the other out of the bytes that have come. */
class Unpacker {
	constructor() {
		this.bytes = Buffer.alloc(0);
		this.at = 0;
	}

	feed(data) {
		this.bytes = this.at < this.bytes.length ?
			Buffer.concat([this.bytes.subarray(this.at), data]) : data;
		this.at = 0;
	}

	/* undefined: not all of it is there yet. */
	next() {
		const start = this.at;
		if (start >= this.bytes.length)
			return undefined;
		try {
			return this.value();
		} catch (error) {
			if (!(error instanceof Short))
				throw error;
			this.at = start;
			return undefined;
		}
	}

	take(n) {
		if (this.at + n > this.bytes.length)
			throw new Short();
		this.at += n;
		return this.bytes.subarray(this.at - n, this.at);
	}

	number(size) {
		return this.take(size).readUIntBE(0, size);
	}

	text(n) {
		return this.take(n).toString('utf8');
	}

	array(n) {
		const list = [];
		for (let i = 0; i < n; i++)
			list.push(this.value());
		return list;
	}

	map(n) {
		const map = {};
		for (let i = 0; i < n; i++) {
			const key = this.value();
			Object.defineProperty(map, key,
				{ value: this.value(), enumerable: true, configurable: true, writable: true });
		}
		return map;
	}

	value() {
		const type = this.number(1);
		if (type < 0x80)
			return type;
		if (type < 0x90)
			return this.map(type & 15);
		if (type < 0xa0)
			return this.array(type & 15);
		if (type < 0xc0)
			return this.text(type & 31);
		if (type >= 0xe0)
			return type - 256;
		return this.typed(type);
	}

	typed(type) {
		switch (type) {
		case 0xc0: return null;
		case 0xc2: return false;
		case 0xc3: return true;
		case 0xc4: return Buffer.from(this.take(this.number(1)));
		case 0xc5: return Buffer.from(this.take(this.number(2)));
		case 0xc6: return Buffer.from(this.take(this.number(4)));
		case 0xca: return this.take(4).readFloatBE(0);
		case 0xcb: return this.take(8).readDoubleBE(0);
		case 0xcc: return this.number(1);
		case 0xcd: return this.number(2);
		case 0xce: return this.number(4);
		case 0xcf: return integer(this.take(8).readBigUInt64BE(0));
		case 0xd0: return this.take(1).readInt8(0);
		case 0xd1: return this.take(2).readInt16BE(0);
		case 0xd2: return this.take(4).readInt32BE(0);
		case 0xd3: return integer(this.take(8).readBigInt64BE(0));
		case 0xd9: return this.text(this.number(1));
		case 0xda: return this.text(this.number(2));
		case 0xdb: return this.text(this.number(4));
		case 0xdc: return this.array(this.number(2));
		case 0xdd: return this.array(this.number(4));
		case 0xde: return this.map(this.number(2));
		case 0xdf: return this.map(this.number(4));
		default: throw new Error(`byte 0x${type.toString(16)} begins no value`);
		}
	}
}

function integer(big) {
	const plain = Number(big);
	return Number.isSafeInteger(plain) ? plain : big;
}

/* ---- The socket ---- */

const socket = new net.Socket({ fd: Number(process.env.SCHEDD_WORKER_FD || 3), readable: true, writable: true });
const storage = new AsyncLocalStorage();
const concurrency = Number(process.env.SCHEDD_WORKER_CONCURRENCY || 1);
const calls = new Map(); /* by run */
const modules = new Map();
const home = process.cwd(); /* a function may go elsewhere */

function send(message) {
	socket.write(pack(message));
}

/* ---- Output ---- */

function currentCall() {
	const call = storage.getStore();
	if (call)
		return call;
	return concurrency === 1 && calls.size === 1 ? calls.values().next().value : undefined;
}

function output(call, stream, data) {
	call.lines[stream] = Buffer.concat([call.lines[stream], data]);
	const all = call.lines[stream];
	const end = all.length >= PIECE ? all.length : all.lastIndexOf(10) + 1;
	call.lines[stream] = all.subarray(end);
	for (let at = 0; at < end; at += PIECE)
		send([2, 'output', [{ run: call.id, stream, data: all.subarray(at, Math.min(at + PIECE, end)) }]]);
}

function flush(call) {
	for (const stream of ['stdout', 'stderr']) {
		if (call.lines[stream].length > 0)
			send([2, 'output', [{ run: call.id, stream, data: call.lines[stream] }]]);
		call.lines[stream] = Buffer.alloc(0);
	}
}

function route(stream) {
	const raw = process[stream].write.bind(process[stream]);
	/* What writes to the descriptor itself, and every child, gets a pipe as others have it. */
	if (process[stream]._handle && process[stream]._handle.setBlocking)
		process[stream]._handle.setBlocking(true);
	process[stream].write = (data, encoding, done) => {
		const call = currentCall();
		if (!call)
			return raw(data, encoding, done);
		output(call, stream, ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) :
			Buffer.from(String(data), typeof encoding === 'string' ? encoding : 'utf8'));
		const after = typeof encoding === 'function' ? encoding : done;
		if (after)
			process.nextTick(after);
		return true;
	};
}

/* ---- Calls ---- */

function load(name) {
	if (!modules.has(name)) {
		const relative = name.startsWith('./') || name.startsWith('../') || name.startsWith('/');
		const file = require.resolve(relative ? path.resolve(home, name) : name, { paths: [home] });
		let found;
		try {
			found = require(file);
		} catch (error) {
			if (!error || !['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error.code))
				throw error;
			found = import(pathToFileURL(file).href);
			found.catch(() => modules.delete(name));
		}
		modules.set(name, found);
	}
	return modules.get(name);
}

async function find(name) {
	const colon = name.lastIndexOf(':');
	let found = await load(name.slice(0, colon));
	let self;
	for (const part of name.slice(colon + 1).split('.')) {
		self = found;
		found = found === null || found === undefined ? undefined : found[part];
	}
	if (typeof found !== 'function')
		throw new TypeError(`${name} is not a function`);
	return found.bind(self);
}

/* What JSON would make into {} or null without a word. */
function isUnsayable(value) {
	return typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint' ||
		(typeof value === 'number' && !Number.isFinite(value)) ||
		util.types.isMap(value) || util.types.isSet(value) || util.types.isRegExp(value) || util.types.isPromise(value) ||
		util.types.isNativeError(value) || util.types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value);
}

class Unsayable extends Error {}

/* JSON of a value, in which no more is written than is kept of it. */
function json(value) {
	let left = RESULT_MAX, cut = false;
	const text = JSON.stringify(value, function write(key, each) {
		if (isUnsayable(each) || (Buffer.isBuffer(this[key]) && this !== each))
			throw new Unsayable();
		left -= key.length + 1;
		if (typeof each === 'string') {
			left -= each.length;
			if (left >= 0)
				return each;
			cut = true;
			return each.slice(0, RESULT_MAX);
		}
		if (each === null || typeof each !== 'object')
			return each;
		if (left < 0) {
			cut = true;
			return null;
		}
		if (!Array.isArray(each) || each.length <= left)
			return each;
		cut = true;
		return each.slice(0, left + 1);
	});
	return { text, cut };
}

function show(value) {
	try {
		return util.inspect(value);
	} catch (error) {
		return 'a value that cannot be shown';
	}
}

function representation(text, cut) {
	return { repr: text.slice(0, RESULT_MAX), cut: cut || text.length > RESULT_MAX };
}

function result(value) {
	if (value === undefined || value === null)
		return null;
	let made;
	try {
		made = isUnsayable(value) ? {} : json(value);
	} catch (error) {
		made = {}; /* a circle, or what is no data in it */
	}
	if (made.text === undefined)
		return representation(show(value), false);
	return made.cut || Buffer.byteLength(made.text) > RESULT_MAX ? representation(made.text, made.cut) : { json: made.text };
}

function describe(error, cancelled) {
	let type = 'Error', message = '';
	try {
		type = error && error.name ? String(error.name) : typeof error;
		message = error && error.message !== undefined ? String(error.message) : String(error);
	} catch (again) {
		message = 'an error that cannot be printed';
	}
	type = type.slice(0, MESSAGE_MAX);
	message = message.slice(0, MESSAGE_MAX);
	return cancelled ? { type, message, cancelled: true } : { type, message };
}

async function run(call, params) {
	const args = [...(params.args || [])];
	/* JavaScript has no arguments by name: they are one object, the last argument. */
	if (params.kwargs)
		args.push(params.kwargs);
	let answer, failure;
	try {
		const stopped = new Promise((_resolve, reject) => {
			call.abort.signal.addEventListener('abort',
				() => reject(Object.assign(new Error('cancelled by schedd'), { name: 'AbortError' })));
		});
		stopped.catch(() => {});
		const fn = await Promise.race([find(params.function), stopped]);
		answer = result(await Promise.race([fn(...args), stopped]));
	} catch (error) {
		failure = describe(error, call.abort.signal.aborted);
		try {
			process.stderr.write(`${error && error.stack ? error.stack : failure.message}\n`);
		} catch (again) { /* what cannot be printed is not */ }
	}
	flush(call);
	calls.delete(call.id);
	send([1, call.msgid, failure || null, failure ? null : answer]);
}

function time(microseconds) {
	return microseconds === undefined || microseconds === null ? null : new Date(Number(microseconds) / 1000);
}

function begin(msgid, params) {
	const slash = params.run.lastIndexOf('/');
	const abort = new AbortController();
	const call = {
		msgid, abort, id: params.run,
		lines: { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) },
		view: Object.freeze({
			id: params.run, job: params.run.slice(0, slash), run: Number(params.run.slice(slash + 1)),
			name: params.name || null, attempt: params.attempt, env: params.env || {},
			scheduledAt: time(params.scheduled_at), deadline: time(params.deadline), signal: abort.signal,
		}),
	};
	calls.set(call.id, call);
	storage.run(call, () => run(call, params));
}

function handle(message) {
	if (message[0] === 0 && message[2] === 'call')
		begin(message[1], message[3][0]);
	else if (message[0] === 0 && message[2] === 'ping')
		send([1, message[1], null, {}]);
	else if (message[0] === 0)
		send([1, message[1], { type: 'unknown_method', message: String(message[2]) }, null]);
	else if (message[0] === 2 && message[1] === 'cancel') {
		const call = calls.get(message[2][0].run);
		if (call)
			call.abort.abort();
	}
}

/* ---- Life ---- */

globalThis.schedd = { currentRun: () => (currentCall() || {}).view || null };

async function main() {
	const unpacker = new Unpacker();
	route('stdout');
	route('stderr');
	socket.on('data', (data) => {
		unpacker.feed(data);
		for (let message; (message = unpacker.next()) !== undefined;)
			handle(message);
	});
	/* schedd is gone, or needs this process no longer. */
	socket.on('end', () => process.exit(calls.size > 0 ? 1 : 0));
	socket.on('error', () => process.exit(1));
	for (const name of (process.env.SCHEDD_WORKER_PRELOAD || '').split(':').filter(Boolean)) {
		try {
			await load(name);
		} catch (error) {
			const { type, message } = describe(error, false);
			fs.writeSync(2, `${error && error.stack ? error.stack : message}\n`);
			send([2, 'worker.failed', [{ message: `preload: ${type}: ${message}` }]]);
			socket.end(() => process.exit(1));
			return;
		}
	}
	send([2, 'worker.ready', [{ protocol: PROTOCOL, language: 'node', version: process.versions.node, pid: process.pid }]]);
}

main();
