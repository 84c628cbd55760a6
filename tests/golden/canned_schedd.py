#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A daemon that always gives the same answers, so that what schedctl prints can be compared byte by byte.

canned_schedd.py SOCKET ANSWERS.json: an answer is chosen by method, or by "method id", or "method states"; a text is an error "name: message".
"""
import json
import socket
import sys
import threading

import msgpack

CODES = {"failed": 1, "invalid_argument": 2, "not_found": 4, "conflict": 5, "permission_denied": 6, "invalid_file": 7, "timeout": 8}


def answer(answers, method, params):
    key = params.get("id") or params.get("run") or ",".join(params.get("states", []))
    found = answers.get(f"{method} {key}", answers.get(method, f"failed: no canned answer for {method}"))
    if isinstance(found, str):
        name, message = found.split(": ", 1)
        return {"code": CODES[name], "name": name, "message": message}, None
    return None, found


def serve(connection, answers):
    unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 30)
    while data := connection.recv(1 << 16):
        unpacker.feed(data)
        for _, msgid, method, params in unpacker:
            error, result = answer(answers, method, params[0] if params else {})
            connection.sendall(msgpack.packb([1, msgid, error, result]))
    connection.close()


def main():
    path, answers = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], answers), daemon=True).start()


main()
