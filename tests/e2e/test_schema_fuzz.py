# SPDX-License-Identifier: MIT
"""schemathesis from PyPI: makes requests up from the OpenAPI document, and holds the answers to it.

SCHEMA_EXAMPLES (3) requests of each operation. More are worth a night. Whole jobs it cannot make up, as a trigger may have
triggers in it: those are made here, field by field of the same document, with what the field may be and what it may not.
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

import jsonschema
from test_http import HttpCase

PACKAGES = ("schemathesis==3.39.16", "hypothesis==6.130.0", "hypothesis-jsonschema==0.23.1", "pytest==8.4.2", "pytest-subtests==0.14.2", "Werkzeug==3.1.3",
            "jsonschema==4.23.0", "starlette==0.46.2", "starlette-testclient==0.4.1", "requests==2.32.3", "httpx==0.28.1")
# What never ends, what ends the daemon or the token, bytes that are no JSON, and what would run jobs that are made up.
LEFT_OUT = r"/api/v1/events|/api/v1/rpc$|server\.shutdown|server\.reload|token\.remove|scheduler\.resume"
WHOLE_JOBS = ("--exclude-method", "PUT", "--exclude-method", "PATCH")
EXAMPLES = os.environ.get("SCHEMA_EXAMPLES", "1" if os.environ["SCHEDD_SANITIZE"] else "3")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def installed():
    """A virtual environment with the package, made once a build folder."""
    folder = pathlib.Path(os.environ["SCHEDD_BINARY_DIR"], "pypi", "schemathesis-3.39.16")
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "-q", "install", "--disable-pip-version-check", *PACKAGES], check=True, stdout=subprocess.DEVNULL)
        (folder / "ready").touch()
    return folder / "bin" / "schemathesis"


class Schema(HttpCase):
    def test_what_the_document_lets_one_ask(self):
        program = installed()
        server = self.serve()
        self.ask("PUT", "/api/v1/jobs/a", {"command": ["/bin/true"], "trigger": {"manual": True}, "max_instances": 1000})
        self.ask("POST", "/api/v1/jobs/a/run")
        # Jobs that are made up are not to be run.
        self.ask("POST", "/api/v1/rpc/scheduler.pause", {})
        done = subprocess.run(
            [program, "run", f"http://127.0.0.1:{self.port}/api/v1/openapi.json", "-H", f"Authorization: Bearer {self.admin}", "--experimental=openapi-3.1",
             "--checks", CHECKS, "--exclude-path-regex", LEFT_OUT, "--hypothesis-max-examples", EXAMPLES, "--hypothesis-seed", "20261129",
             "--hypothesis-suppress-health-check", "all", "--hypothesis-database", "none", "--request-timeout", "20000", "--validate-schema", "true", "-D", "all", "-w", "2", *WHOLE_JOBS,
             "--set-path", "id=a", "--set-path", "job=a", "--set-path", "number=1"],
            cwd=server.dir, capture_output=True, text=True, check=False, env={**os.environ, "NO_PROXY": "*", "HOME": str(server.dir)})
        self.assertEqual(done.returncode, 0, done.stdout[-8000:])
        self.assertIn("Performed checks", done.stdout)
        self.assertIsNone(server.process.poll())
        self.assertEqual(self.ask("GET", "/healthz").status, 200)


class WholeJobs(HttpCase):
    """PUT and PATCH of a job, a field at a time."""

    ODD = [None, True, -1, 0, 1, 1.5, 2**31, 2**53, "", "x", "é\u202e", "1h", "9" * 400, [], ["a"], [1, None], [[]], {}, {"a": 1}, {"a": {"b": []}}]

    def values(self, schema, depth=0):
        """Some that suit it: each word of an enum, each form of a choice, edges of numbers."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if "const" in schema or "enum" in schema:
            return schema.get("enum", [schema.get("const")])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return [value for form in schema[word] for value in self.values(form, depth)[:4]][:12]
        kinds = schema.get("type", [])
        made = []
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            least, most = schema.get("minimum", 0), schema.get("maximum", 9)
            made += {"null": [None], "boolean": [True, False], "integer": [int(least), int(most), int(least) - 1],
                     "number": [least, most, 0.5], "string": ["a", "now", "2041-01-02T03:04:05Z"]}.get(kind, [])
            if kind == "array" and depth < 3:
                made += [[], *([value] for value in self.values(schema.get("items", {"type": "string"}), depth + 1)[:4])]
            if kind == "object" and depth < 3:
                members = {key: self.values(form, depth + 1) for key, form in schema.get("properties", {}).items()}
                made += [{}, *({key: value} for key, some in members.items() for value in some[:3])]
                made += [{"a": "b"}] if "additionalProperties" in schema else []
        return made

    def send(self, method, path, body):
        """Its answer is one that the document has, and reads as the document says."""
        answer = self.ask(method, path, body)
        about = f"{method} {json.dumps(body)[:300]}: {answer.status} {answer.body[:300]}"
        known = self.document["paths"]["/api/v1/jobs/{id}"][method.lower()]["responses"]
        self.assertIn(str(answer.status), known, about)
        self.assertLess(answer.status, 500, about)
        form = known[str(answer.status)]
        if "$ref" in form:
            form = self.document["components"]["responses"][form["$ref"].rpartition("/")[2]]
        kind = answer.headers["Content-Type"].partition(";")[0]
        self.assertIn(kind, form["content"], about)
        schema = {**form["content"][kind]["schema"], "components": self.document["components"]}
        jsonschema.Draft202012Validator(schema).validate(json.loads(answer.body))
        return answer.status

    def test_each_field_with_what_it_may_be_and_may_not(self):
        server = self.serve()
        self.document = json.loads(self.ask("GET", "/api/v1/openapi.json").body)
        # Nothing that is made up is to be run.
        self.ask("POST", "/api/v1/rpc/scheduler.pause", {})
        base = {"command": ["/bin/true"], "trigger": {"manual": True}}
        self.assertEqual(self.send("PUT", "/api/v1/jobs/patched", base), 201)
        fields = self.document["components"]["schemas"]["job"]["properties"]
        self.assertGreater(len(fields), 40)
        counts = {}
        for name, schema in fields.items():
            for number, value in enumerate(self.values(schema) + self.ODD):
                whole = ("PUT", "/api/v1/jobs/put", {**base, name: value})
                part = ("PATCH", "/api/v1/jobs/patched", {name: value})
                for method, path, body in (whole, part) if number % 3 == 0 else (part,):
                    status = self.send(method, path, body)
                    counts[status] = counts.get(status, 0) + 1
        # It is no test if all, or none, of them are refused.
        self.assertGreater(counts.get(200, 0) + counts.get(201, 0), 200, counts)
        self.assertGreater(counts.get(400, 0), 200, counts)
        self.assertIsNone(server.process.poll())


if __name__ == "__main__":
    unittest.main()
