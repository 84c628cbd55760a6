# SPDX-License-Identifier: MIT
"""Places the daemon cannot use: it says which, why, and what to do, and leaves them as they were."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import e2e

NOBODY = 65534


def as_nobody(*argv, env=None):
    """Runs a program as a user without rights: (exit status, stderr)."""
    done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


class Places(e2e.TestCase):
    def test_a_socket_path_that_is_too_long(self):
        server = self.daemon()
        path = "/tmp/" + "x" * 200
        status, text = server.run("--socket", path, "--state-dir", str(server.dir / "other"))
        self.assertEqual(status, 2)
        self.assertIn("107", text)
        status, _, text = server.ctl("--socket", path, "list")
        self.assertIn(status, (2, 3))
        self.assertIn("107", text)

    def test_a_database_that_is_none(self):
        server = self.daemon()
        server.stop()
        database = next(server.state.glob("*.db"))
        content = b"this is a text, not a database\n" * 200
        for path in server.state.glob(database.name + "-*"):
            path.unlink()
        database.write_bytes(content)
        status, text = server.run()
        self.assertEqual(status, 7, text)
        self.assertIn(str(database), text)
        self.assertEqual(database.read_bytes(), content, "it is left untouched")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to give a socket away")
    def test_a_socket_of_another_user(self):
        server = self.daemon()
        server.stop(9)
        os.chown(server.socket, NOBODY, NOBODY)
        status, text = server.run()
        self.assertIn(status, (1, 6), text)
        self.assertIn(str(server.socket), text)
        self.assertEqual(server.socket.stat().st_uid, NOBODY)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_a_state_directory_that_root_owns(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="schedd-e2e."))
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        program = shutil.copy(e2e.SCHEDD, folder / "schedd")
        (folder / "run").mkdir()
        os.chown(folder / "run", NOBODY, NOBODY)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder / "run")}
        status, text = as_nobody(program, "--state-dir", str(folder / "state"), "--socket", str(folder / "run" / "s"), env=env)
        self.assertIn(status, (1, 6), text)
        self.assertIn(str(folder / "state"), text)
        self.assertIn("Permission denied", text)
        self.assertFalse((folder / "state").exists())

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_state_directory_without_rights(self):
        server = self.daemon(start=False)
        server.state.mkdir(mode=0o500)
        status, text = server.run()
        self.assertIn(status, (1, 6), text)
        self.assertIn(str(server.state), text)


if __name__ == "__main__":
    unittest.main()
