# SPDX-License-Identifier: MIT
"""The dashboard and the alert rules that are installed name only metrics that there are; promtool reads them where it is installed."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import yaml

import e2e
from test_http import HttpCase

FOLDER = pathlib.Path(os.environ["SCHEDD_SOURCE"], "server/monitoring")
NAME = re.compile(r"\bschedd_[a-z_]+")
PROMTOOL = shutil.which("promtool")


def expressions(dashboard):
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]


def concrete(expression):
    return expression.replace("$__rate_interval", "5m").replace("$instance", ".*")


class Monitoring(HttpCase):
    def setUp(self):
        self.dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
        self.rules = [rule for group in yaml.safe_load((FOLDER / "prometheus-rules.yaml").read_text())["groups"] for rule in group["rules"]]

    def scraped(self):
        self.serve()
        self.ask("PUT", "/api/v1/jobs/a", {"shell": "false", "trigger": {"every": "1h"}})
        self.ask("POST", "/api/v1/jobs/a/run")
        e2e.wait_until("it ran", lambda: self.ask("GET", "/api/v1/runs/a/1").json["state"] == "failed")
        return self.ask("GET", "/metrics").body.decode()

    def test_each_metric_that_is_named_exists(self):
        there = {line.split("{")[0].split(" ")[0] for line in self.scraped().splitlines() if not line.startswith("#")}
        named = 0
        for where, text in [*expressions(self.dashboard), *((rule["alert"], rule["expr"]) for rule in self.rules)]:
            for name in NAME.findall(text):
                named += 1
                with self.subTest(where=where, name=name):
                    self.assertIn(name, there)
        self.assertGreater(named, 40)
        query = self.dashboard["templating"]["list"][1]["query"]["query"]
        self.assertIn(NAME.findall(query)[0], there)

    def test_the_dashboard_fits_together(self):
        taken = set()
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, f"{panel['title']} lies on another panel")
            taken |= cells
            self.assertEqual(len({target["refId"] for target in panel["targets"]}), len(panel["targets"]))

    def test_each_alert_says_what_it_is(self):
        self.assertEqual(len({rule["alert"] for rule in self.rules}), len(self.rules))
        for rule in self.rules:
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
                self.assertTrue(rule["annotations"]["summary"])

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_prometheus_reads_them(self):
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=self.scraped(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        folder = self.server.dir
        shutil.copy(FOLDER / "prometheus-rules.yaml", folder / "rules.yaml")
        (folder / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": [
            {"record": f"panel:{number}", "expr": concrete(text)} for number, (_, text) in enumerate(expressions(self.dashboard))]}]}))
        (folder / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [{
            "interval": "1m",
            "input_series": [{"series": 'schedd_up{instance="m",job="schedd"}', "values": "1+0x60"},
                             {"series": 'up{instance="m",job="schedd"}', "values": "1+0x60"},
                             {"series": 'schedd_job_last_run_success{exported_job="backup",instance="m",job="schedd"}', "values": "1+0x9 0+0x60"},
                             {"series": 'schedd_missed_total{instance="m",job="schedd"}', "values": "0+0x60"}],
            "alert_rule_test": [{"eval_time": "9m", "alertname": "ScheddJobFailed", "exp_alerts": []},
                                {"eval_time": "30m", "alertname": "ScheddDown", "exp_alerts": []},
                                {"eval_time": "30m", "alertname": "ScheddRunsMissed", "exp_alerts": []},
                                {"eval_time": "30m", "alertname": "ScheddJobFailed", "exp_alerts": [{
                                    "exp_labels": {"severity": "warning", "exported_job": "backup", "instance": "m", "job": "schedd"},
                                    "exp_annotations": {"summary": "The last run of backup failed on m",
                                                        "description": "schedctl why backup says how, schedctl logs backup what it wrote."}}]}]}]}))
        for argv in (("check", "rules", "rules.yaml"), ("check", "rules", "panels.yaml"), ("test", "rules", "test.yaml")):
            done = subprocess.run([PROMTOOL, *argv], cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
