# SPDX-License-Identifier: MIT
"""schemathesis from PyPI: makes requests up from the OpenAPI document, and holds the answers to it.

SCHEMA_EXAMPLES (3) requests of each operation; where it is set, whole jobs are made up too. More are worth a night.
"""
import os
import pathlib
import subprocess
import sys
import unittest

from test_http import HttpCase

PACKAGES = ("schemathesis==3.39.16", "hypothesis==6.130.0", "hypothesis-jsonschema==0.23.1", "pytest==8.4.2", "pytest-subtests==0.14.2", "Werkzeug==3.1.3",
            "jsonschema==4.23.0", "starlette==0.46.2", "starlette-testclient==0.4.1", "requests==2.32.3", "httpx==0.28.1")
# What never ends, what ends the daemon or the token, bytes that are no JSON, and what would run jobs that are made up.
LEFT_OUT = r"/api/v1/events|/api/v1/rpc$|server\.shutdown|server\.reload|token\.remove|scheduler\.resume"
# To make up whole jobs takes it minutes.
WHOLE_JOBS = () if os.environ.get("SCHEMA_EXAMPLES") else ("--exclude-method", "PUT", "--exclude-method", "PATCH")
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


if __name__ == "__main__":
    unittest.main()
