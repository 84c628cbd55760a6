# SPDX-License-Identifier: MIT
"""A database of SQLite on a file system that other machines have at the same time: refused, with the reason and the
way out, and nothing is written there; other stores go on."""
import os
import re
import subprocess
import unittest

import e2e

KINDS = {"0x6969": "NFS", "0xff534d42": "CIFS", "0xfe534d42": "SMB", "0x517b": "SMB", "0x5346414f": "AFS", "0x00c36400": "Ceph",
         "0x0bd00bd0": "Lustre", "0x01161970": "GFS2"}


def preload():
    """A sanitizer's own library must come first."""
    linked = subprocess.run(["ldd", e2e.SCHEDD], capture_output=True, text=True, check=True).stdout
    return " ".join(re.findall(r"=> (\S*lib[at]san\S*)", linked) + [os.environ["STATFS_PRELOAD"]])


class RemoteFiles(e2e.TestCase):
    def serve(self, config=""):
        """A daemon with a directory "far", which is on a file system of its kind."""
        server = self.daemon(start=False)
        self.far = server.dir / "far"
        self.far.mkdir()
        server.config.write_text(config.replace("FAR", str(self.far)))
        return server

    def env(self, kind):
        return {"LD_PRELOAD": preload(), "STATFS_UNDER": str(self.far), "STATFS_TYPE": kind}

    def said(self, text, name, file):
        self.assertIn(f"{file} is on {name}, which other machines have at the same time", text)
        for way in ("Keep it on a disk of this machine (path, or state_dir)", "postgresql, mysql or redis"):
            self.assertIn(way, text)

    def test_each_kind(self):
        for kind, name in KINDS.items():
            server = self.serve("stores: {far: {type: sqlite, path: FAR/jobs.db}}\n")
            code, err = server.run(**self.env(kind))
            self.assertEqual(code, 1, err)
            self.said(err, name, f"store 'far': {self.far}/jobs.db")
            self.assertEqual(list(self.far.iterdir()), [], "nothing is written there")

    def test_the_state_directory(self):
        server = self.serve()
        server.state = self.far
        code, err = server.run(**self.env("0x6969"))
        self.assertEqual(code, 1, err)
        self.said(err, "NFS", f"store 'default': {self.far}/default.db")

    def test_by_a_link_and_of_history(self):
        server = self.serve("stores: {mem: {type: memory, history: old}, old: {type: sqlite, path: FAR/../link/old.db}}\n")
        (server.dir / "link").symlink_to(self.far)
        env = {**self.env("0x6969"), "STATFS_UNDER": f"{self.far}/../link"}
        code, err = server.run(**env)
        self.assertEqual(code, 1, err)
        self.assertIn("store 'old'", err)
        self.assertIn("is on NFS", err)

    def test_one_that_comes_later(self):
        server = self.serve()
        server.start(**self.env("0x6969"))
        code, _, err = server.ctl("stores", "add", "far", f"{self.far}/jobs.db")
        self.assertEqual(code, 1, err)
        self.said(err, "NFS", f"store 'far': {self.far}/jobs.db")
        self.assertEqual(list(self.far.iterdir()), [], "nothing is written there")
        code, _, err = server.ctl("add", "--id", "here", "--manual", "--", "true")
        self.assertEqual(code, 0, err)
        code, _, err = server.ctl("run", "here", "--wait")
        self.assertEqual(code, 0, err)

    def test_what_is_a_machines_own(self):
        # ext4, tmpfs, overlay, FUSE of who knows what, and what a guest has from its host
        for kind in ("0xef53", "0x01021994", "0x794c7630", "0x65735546", "0x01021997"):
            server = self.serve("stores: {far: {type: sqlite, path: FAR/jobs.db}}\n").start(**self.env(kind))
            code, _, err = server.ctl("add", "--id", "x", "--store", "far", "--manual", "--", "true")
            self.assertEqual(code, 0, err)
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
