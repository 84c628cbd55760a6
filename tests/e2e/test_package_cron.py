# SPDX-License-Identifier: MIT
"""schedd-cron in cron's place, and cron back again: real packages in a root of their own.

The root is this machine's as it is, with a layer above it that takes what is written and goes with the
test; processes in it have ids of their own, so that no other cron of the machine is seen. What happens
there is the class Inside, which this file runs when it is called with an argument.
"""
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

LAYER = r"""set -e
mount -t tmpfs layer "$1/layer"
mkdir "$1/layer/up" "$1/layer/work" "$1/layer/root"
mount -t overlay root -o "lowerdir=/,upperdir=$1/layer/up,workdir=$1/layer/work" "$1/layer/root"
cd "$1/layer/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs run run
mount --bind "$1/shared" mnt
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
exec chroot . /usr/bin/python3 /mnt/inside.py inside
"""
PROGRAMS = ("dpkg-repack", "cron", "ansible", "whenever", "unshare", "useradd")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def can_layer():
    """Root, the programs, and a kernel that lays one tree over another."""
    script = ('mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/m && '
              'mount -t overlay o -o "lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w" /mnt/m')
    if os.geteuid() != 0 or not all(shutil.which(name) for name in PROGRAMS):
        return False
    return subprocess.run(["unshare", "-mpf", "sh", "-c", script], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(can_layer(), "needs root, overlay file systems, and the packages of the test set")
class PackageCron(unittest.TestCase):
    def test_in_cron_s_place_and_back(self):
        with tempfile.TemporaryDirectory(prefix="schedd-e2e.") as name:
            temp = pathlib.Path(name)
            shared = temp / "shared"
            shared.mkdir()
            (temp / "layer").mkdir()
            shutil.copy(__file__, shared / "inside.py")
            subprocess.run(["cpack", "-G", "DEB", "--config", os.environ["SCHEDD_BINARY_DIR"] + "/CPackConfig.cmake", "-B", str(temp / "packages")],
                           check=True, capture_output=True)
            for package in glob.glob(f"{temp}/packages/*.deb"):
                shutil.copy(package, shared)
            subprocess.run(["dpkg-repack", "cron"], cwd=shared, check=True, capture_output=True)
            options = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
            done = subprocess.run(["unshare", "-mpf", "--kill-child", "sh", "-c", LAYER, "sh", name], capture_output=True, text=True, check=False, timeout=840,
                                  stdin=subprocess.DEVNULL, cwd="/", env={"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **options})
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-8000:])


def sh(line, status=0, user=None, **more):
    """Standard output of a shell line, by the login of an account."""
    entry = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=900, cwd="/", **entry, **more,
                          env={"PATH": PATH, "HOME": f"/home/{user}" if user else "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})
    assert done.returncode == status, (line, done.returncode, done.stdout, done.stderr)
    return done.stdout


def wait_until(what, holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


TABLE = "# mine\nMAILTO=\"\"\n7 3 * * * echo one >>~/out; id -un >>~/out\n"


class Inside:
    """The machine's days: with cron, with schedd-cron, with cron again."""

    def __init__(self):
        for user in ("alice", "bob"):
            sh(f"useradd -m -s /bin/sh {user}")
        pathlib.Path("/etc/cron.d/zz-package").write_text("#schedd: timeout=1h\n9 4 * * * root echo from-package >>/root/seen\n")
        script = pathlib.Path("/etc/cron.daily/zz-package")
        script.write_text("#!/bin/sh\necho from-daily >>/root/seen\n")
        script.chmod(0o755)
        for slow in ("apt-compat", "man-db"):  # one sleeps for up to half an hour, one reads all pages
            pathlib.Path("/etc/cron.daily", slow).unlink(missing_ok=True)
        pathlib.Path("/mnt/table").write_text(TABLE)
        pathlib.Path("/mnt/table").chmod(0o644)
        sh("crontab /mnt/table", user="alice")
        self.before = self.world()

    @staticmethod
    def world():
        """What has to be as it was: the tables, their ways and rights, and whose crontab is."""
        files = {}
        for place in ("/etc/crontab", "/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/default/cron",
                      "/etc/init.d/cron", "/etc/pam.d/cron", "/var/spool/cron", "/usr/bin/crontab", "/usr/sbin/cron", "/usr/share/man/man1/crontab.1.gz",
                      "/etc/systemd/system/multi-user.target.wants/cron.service"):
            for path in [pathlib.Path(place), *sorted(pathlib.Path(place).rglob("*"))]:
                if os.path.lexists(path):
                    status = path.lstat()
                    files[str(path)] = (oct(status.st_mode), status.st_uid, status.st_gid, path.read_bytes() if path.is_file() else None)
        return files

    @staticmethod
    def jobs(user=None):
        return {job["shell"]: job for job in json.loads(sh("schedctl list --json", user=user))}

    @staticmethod
    def install(*patterns):
        sh("apt-get install -y -qq --no-install-recommends " + " ".join(glob.glob(f"/mnt/{pattern}")[0] for pattern in patterns))

    @staticmethod
    def state(package):
        return sh(f"dpkg-query -W -f '${{db:Status-Status}}' {package} 2>/dev/null || true").strip()

    def take_the_place(self):
        self.install("schedd_*.deb")
        with open("/run/schedd.log", "wb") as log:
            subprocess.Popen(["/usr/bin/schedd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        sh("schedctl ping --wait-ready 30s")
        assert self.jobs() == {}, "nothing told it to take tables"
        sh("schedctl list", user="alice", status=6)
        self.install("schedd-cron_*.deb")
        assert self.state("schedd-cron") == "installed" and self.state("cron") == "config-files", "cron has to go"
        assert sh("readlink -f /usr/bin/crontab") == "/usr/bin/schedd-crontab\n"
        if os.path.exists("/usr/share/man/man1/schedd-crontab.1.gz"):  # unless this machine keeps no pages
            assert sh("readlink -f /usr/share/man/man1/crontab.1.gz") == "/usr/share/man/man1/schedd-crontab.1.gz\n"
        wait_until("the tables", lambda: "echo from-package >>/root/seen" in self.jobs())

    def runs_the_tables(self):
        jobs = self.jobs()
        package = jobs["echo from-package >>/root/seen"]
        assert float(package["timeout"]) == 3600 and package["owner"] == "cron:/etc/cron.d/zz-package", package
        sh(f"schedctl -q run --wait {package['id']}")
        sh("schedctl -q run --wait cron.daily")
        assert sh("cat /root/seen").split() == ["from-package", "from-daily"]
        assert not any("anacron" in shell for shell in jobs), "what runs cron.daily in /etc/crontab is taken over"
        [own] = [job for shell, job in jobs.items() if shell.startswith("echo one")]
        assert own["user"] == "alice", own
        sh(f"schedctl -q run --wait {own['id']}")
        assert sh("cat /home/alice/out") == "one\nalice\n"
        sh("schedctl -q add --id ask --manual --http 'GET http://127.0.0.1:1/'; schedctl -q run --wait ask || true", user="alice")
        assert "Failed to connect" in sh("schedctl show ask/1", user="alice"), "its request is its own process'"
        sh("schedctl -q remove ask", user="alice")
        sh("chage -E 1 alice")
        wait_until("alice's jobs are held", lambda: "jobs of alice: the account 'alice' has expired: an administrator decides" in sh("schedctl status"))
        sh("chage -E -1 alice")
        wait_until("alice's jobs go on", lambda: "jobs of alice" not in sh("schedctl status"))
        assert self.jobs("bob") == {}, "another's jobs"
        sh(f"schedctl show {own['id']}", user="bob", status=4)
        sh(f"schedctl run {own['id']}", user="bob", status=4)

    def is_called(self):
        assert sh("crontab -l", user="alice") == TABLE
        sh("crontab -l | crontab -", user="alice")
        assert sh("crontab -l", user="alice") == TABLE
        sh("crontab -l", user="bob", status=1)
        sh("crontab -u alice -l", user="bob", status=1)
        self.by_ansible()
        self.by_python()
        self.by_whenever()

    def by_ansible(self):
        def task(words, changed):
            out = sh(f"HOME=/root ansible localhost -c local -m cron -a \"{words}\" 2>/dev/null")
            assert ('"changed": true' in out) == changed, (words, out)
        task("name=nightly minute=5 hour=4 job='/bin/echo from ansible' user=alice", True)
        task("name=nightly minute=5 hour=4 job='/bin/echo from ansible' user=alice", False)
        assert sh("crontab -l", user="alice") == TABLE + "#Ansible: nightly\n5 4 * * * /bin/echo from ansible\n"
        assert "/bin/echo from ansible" in self.jobs()
        task("name=nightly minute=5 hour=4 job='/bin/echo from ansible' user=alice disabled=yes", True)
        assert "/bin/echo from ansible" not in self.jobs()
        task("name=FROM env=yes value=ansible user=alice", True)
        assert 'FROM="ansible"' in sh("crontab -l", user="alice")
        task("name=FROM env=yes state=absent user=alice", True)
        task("name=nightly state=absent user=alice", True)
        assert sh("crontab -l", user="alice") == TABLE
        task("name=dropped cron_file=ansible user=bob special_time=daily job='echo dropped'", True)
        wait_until("the file's job", lambda: "echo dropped" in self.jobs())
        task("name=dropped cron_file=ansible state=absent", True)
        wait_until("the file's job gone", lambda: "echo dropped" not in self.jobs())
        out = sh("ansible localhost -c local -m cron -a \"name=bad minute=99 job=x user=alice\" 2>/dev/null", status=2)
        assert "errors in crontab file" in out, out

    def by_python(self):
        program = ("from crontab import CronTab\nimport sys\ntab = CronTab(user=sys.argv[1])\n"
                   "job = tab.new(command='echo by-python', comment='mine')\njob.hour.on(4)\njob.minute.on(1)\ntab.write()\n")
        sh(f'/usr/bin/python3 -c "{program}" bob')
        assert list(self.jobs("bob")) == ["echo by-python # mine"], "bob sees it as his own"
        assert sh("crontab -l", user="bob") == "\n1 4 * * * echo by-python # mine\n"
        own = program.replace("user=sys.argv[1]", "user=True").replace("by-python", "by-own-python").replace("tab.new", "tab.remove_all(comment='mine');job=tab.new")
        sh(f'/usr/bin/python3 -c "{own}"', user="bob")
        assert list(self.jobs("bob")) == ["echo by-own-python # mine"], self.jobs("bob")
        sh("/usr/bin/python3 -c \"from crontab import CronTab\ntab=CronTab(user=True)\ntab.remove_all()\ntab.write()\"", user="bob")
        assert self.jobs("bob") == {}

    def by_whenever(self):
        schedule = pathlib.Path("/mnt/schedule.rb")
        schedule.write_text("set :chronic_options, :hours24 => true\nevery 1.day, :at => '4:30' do\n  command 'echo by-whenever'\nend\n")
        schedule.chmod(0o644)
        sh("whenever -f /mnt/schedule.rb --update-crontab tag", user="bob")
        assert any("echo by-whenever" in shell for shell in self.jobs("bob")), self.jobs("bob")
        sh("whenever -f /mnt/schedule.rb --clear-crontab tag", user="bob")
        assert self.jobs("bob") == {}
        sh("crontab -r", user="bob")

    def upgrade(self):
        """The package over itself: nothing changes hands."""
        sh("dpkg -i " + glob.glob("/mnt/schedd-cron_*.deb")[0])
        assert sh("readlink -f /usr/bin/crontab") == "/usr/bin/schedd-crontab\n"
        assert "echo from-package >>/root/seen" in self.jobs()

    def calls_functions(self):
        """python3-schedd as packaged: its worker is found, and its client imported."""
        self.install("python3-schedd_*.deb")
        pathlib.Path("/etc/schedd/conf.d/python.yaml").write_text("executors: {python: {type: worker, processes: 1}}\n")
        sh("schedctl -q reload --exec && schedctl ping --wait-ready 30s")
        sh("schedctl -q add --id called --manual --executor python --call json:dumps --args '[[1, 2]]'")
        sh("schedctl -q run --wait called")
        assert json.loads(sh("schedctl show called/1 --json"))["result"] == "[1, 2]"
        names = json.loads(sh("/usr/bin/python3 -c 'import json, schedd; print(json.dumps([job.id for job in schedd.Client().get_jobs()]))'"))
        assert names == ["called"], names
        sh("schedctl -q remove called")

    def give_it_back(self):
        self.install("cron_*.deb")
        assert self.state("cron") == "installed" and self.state("schedd-cron") in ("", "config-files"), "schedd-cron has to go"
        assert self.jobs() == {}, "schedd would run what cron runs"
        assert not os.path.lexists("/etc/schedd/conf.d/schedd-cron.yaml")
        assert sh("crontab -l", user="alice") == TABLE
        after = self.world()
        for path in sorted(set(self.before) | set(after)):
            mine, old = after.get(path), self.before.get(path)
            if path == "/var/spool/cron/crontabs/alice":  # its head says when it was installed
                mine, old = mine[:3], old[:3]
            assert mine == old, (path, old, mine)
        assert self.state("schedd") == "installed"

    def settings_of_the_administrator(self):
        """A file in the link's place is the administrator's: a removal lays it aside, an installation takes it again."""
        own = pathlib.Path("/etc/schedd/conf.d/schedd-cron.yaml")
        self.install("schedd-cron_*.deb")
        own.unlink()
        own.write_text("cron: {tables: true}\n")
        self.install("cron_*.deb")
        assert not own.exists() and self.jobs() == {}
        self.install("schedd-cron_*.deb")
        assert own.read_text() == "cron: {tables: true}\n"
        sh("dpkg --purge schedd-cron")
        assert glob.glob("/etc/schedd/conf.d/*") == ["/etc/schedd/conf.d/python.yaml"], glob.glob("/etc/schedd/conf.d/*")
        assert not os.path.lexists("/usr/bin/crontab")


def main_inside():
    inside = Inside()
    for step in (inside.take_the_place, inside.runs_the_tables, inside.is_called, inside.upgrade, inside.calls_functions, inside.give_it_back, inside.settings_of_the_administrator):
        print(step.__name__, flush=True)
        try:
            step()
        except AssertionError:
            print(pathlib.Path("/run/schedd.log").read_text(), file=sys.stderr)
            raise
    sh("schedctl shutdown")


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        main_inside()
    else:
        unittest.main()
