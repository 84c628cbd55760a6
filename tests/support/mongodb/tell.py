# SPDX-License-Identifier: MIT
"""Evaluates an expression on the test server's database: tell.py PORT EXPRESSION, with "db" and "client"."""
import sys

import pymongo

client = pymongo.MongoClient("127.0.0.1", int(sys.argv[1]), serverSelectionTimeoutMS=3000)
db = client.ops
print(eval(sys.argv[2]))
