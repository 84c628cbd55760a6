# SPDX-License-Identifier: MIT
"""Under valgrind, which takes part of clone(2) alone, commands run as elsewhere, and nothing is wrong with memory."""
import os
import shutil
import unittest

import e2e


@unittest.skipUnless(shutil.which("valgrind") and not os.environ.get("SCHEDD_SANITIZE"), "needs valgrind and no sanitizer")
class Valgrind(e2e.TestCase):
    def test_a_command_runs(self):
        d = self.daemon(start=False)
        wrapper = d.dir / "schedd"
        wrapper.write_text(f'#!/bin/sh\nexec valgrind -q --error-exitcode=9 "{e2e.SCHEDD}" "$@"\n')
        wrapper.chmod(0o755)
        self.addCleanup(setattr, e2e, "SCHEDD", e2e.SCHEDD)
        e2e.SCHEDD = str(wrapper)
        d.start(SCHEDD_MODULE_DIR=os.path.join(os.environ["SCHEDD_BINARY_DIR"], "modules"))
        client = d.client()
        client.call("job.add", id="a", command=["/bin/echo", "hello"], trigger={"type": "manual"})
        client.call("job.add", id="b", shell="cat; exit 3", stdin={"text": "in"}, trigger={"type": "manual"})
        for job, state, output in (("a", "success", "hello\n"), ("b", "failed", "in")):
            run = client.call("job.run", id=job)["run"]
            self.assertEqual(client.call("run.wait", run=run)["state"], state)
            log = client.call("run.log", run=run)
            self.assertIn(output, str(log).replace("\\n", "\n"))
        self.assertEqual(d.stop(seconds=60), 0, d.log.read_text()[-3000:])
        self.assertNotIn("==", "".join(line for line in d.log.read_text().splitlines() if line.startswith("==")))


if __name__ == "__main__":
    unittest.main()
