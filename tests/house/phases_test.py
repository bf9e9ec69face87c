"""The runner of hack/test counts honestly, says what it skips, and leaves nothing running."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

REPO = pathlib.Path(__file__).resolve().parents[2]
PRELUDE = """
set -euo pipefail
. hack/lib/common.sh
. hack/lib/phases.sh
start_phases "$LOGS"
trap end_running EXIT
trap 'exit 143' TERM
"""
GTEST = '<testsuites tests="{}" failures="{}" disabled="1" errors="0"><testsuite tests="{}" ' \
        'failures="{}" disabled="1" skipped="0" errors="0"/></testsuites>'
CTEST = '<testsuite tests="{}" failures="{}" disabled="0" skipped="0"/>'
PYTEST = '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>'


class PhasesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.logs = pathlib.Path(folder.name) / "logs"

    def command(self, script, **environment):
        environment = {**os.environ, "LOGS": str(self.logs), "CI": "", **environment}
        return {"args": ["bash", "-c", PRELUDE + script], "cwd": REPO, "env": environment,
                "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}

    def run_script(self, script, **environment):
        return subprocess.run(**self.command(script, **environment))

    def last_line(self, run):
        return run.stdout.rstrip("\n").split("\n")[-1]

    def test_all_well(self):
        run = self.run_script("phase_a() { echo quiet; }\nrun_phase a\nsummary")
        self.assertEqual((run.returncode, self.last_line(run)), (0, "1 passed, 0 failed"))
        self.assertNotIn("quiet", run.stdout)

    def test_a_failure_in_the_middle_of_a_phase_counts_and_shows_its_log(self):
        run = self.run_script("phase_a() { echo the reason; false; echo no; }\n"
                              "phase_b() { :; }\nrun_phase a\nrun_phase b\nsummary")
        self.assertEqual((run.returncode, self.last_line(run)), (1, "1 passed, 1 failed"))
        self.assertIn("| the reason", run.stdout)
        self.assertNotIn("| no", run.stdout)

    def test_what_cannot_run_is_skipped_aloud_with_what_needs_it(self):
        script = ("phase_a() { skip 'install a moon'; }\nphase_b() { needs a; }\n"
                  "run_phase a\nrun_phase b\nsummary")
        run = self.run_script(script)
        self.assertEqual((run.returncode, self.last_line(run)), (0, "0 passed, 0 failed"))
        self.assertIn("skipped a: install a moon", run.stdout)
        self.assertIn("skipped b: needs the phase a: skipped", run.stdout)
        run = self.run_script(script, CI="true")
        self.assertEqual((run.returncode, self.last_line(run)), (1, "0 passed, 2 failed"))

    def test_a_script_that_cannot_do_its_work_here_skips_its_phase(self):
        run = self.run_script("phase_a() { bash -c 'echo no root; exit 77'; }\nrun_phase a\nsummary")
        self.assertIn("skipped a: no root", run.stdout)

    def test_phases_run_side_by_side(self):
        run = self.run_script("phase_a() { sleep 1; }\nphase_b() { [[ ! -e $LOGS/a.seconds ]]; }\n"
                              "begin_phase a\nrun_phase b\nend_phase a\nsummary")
        self.assertEqual((run.returncode, self.last_line(run)), (0, "2 passed, 0 failed"))

    def test_nothing_runs_on_after_an_interrupt(self):
        script = "phase_a() { sleep 4321 & echo $! >$LOGS/pid; wait; }\nrun_phase a"
        with subprocess.Popen(**self.command(script)) as process:
            while not (self.logs / "pid").exists() or not (self.logs / "pid").read_text():
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        self.assertEqual(process.returncode, 143)
        sleeper = pathlib.Path("/proc", (self.logs / "pid").read_text().strip(), "cmdline")
        self.assertFalse(sleeper.exists() and "4321" in sleeper.read_text())

    def counts(self, result, **files):
        """What count-results says; files by their names, _ for /."""
        (self.logs / "x-gtest").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.logs / name.replace("__", "/").replace("_", "-")).with_suffix(".xml").write_text(text)
        command = [REPO / "hack/lib/count-results", result, self.logs / "x"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    def test_a_phase_without_cases_counts_as_one(self):
        self.assertEqual(self.counts("ok"), ["1", "0"])
        self.assertEqual(self.counts("FAILED"), ["0", "1"])

    def test_cases_are_counted_and_not_their_program(self):
        self.assertEqual(self.counts("ok", x_ctest=CTEST.format(3, 0),
                                     x_gtest__unit=GTEST.format(8, 0, 8, 0)), ["9", "0"])

    def test_a_failed_case_is_one_failure(self):
        self.assertEqual(self.counts("FAILED", x_ctest=CTEST.format(3, 1),
                                     x_gtest__unit=GTEST.format(8, 2, 8, 2)), ["7", "2"])

    def test_a_program_that_crashed_is_one_failure(self):
        self.assertEqual(self.counts("FAILED", x_ctest=CTEST.format(3, 1)), ["2", "1"])

    def test_a_leak_found_after_the_last_case_is_one_failure(self):
        self.assertEqual(self.counts("FAILED", x_ctest=CTEST.format(1, 1),
                                     x_gtest__unit=GTEST.format(8, 0, 8, 0)), ["7", "1"])

    def test_skipped_stories_are_neither(self):
        self.assertEqual(self.counts("FAILED", x=PYTEST), ["5", "2"])

    def test_a_failed_case_is_named_with_what_it_said(self):
        report = '<testsuite tests="2" failures="1"><testcase classname="c" name="good"/>' \
                 '<testcase classname="c" name="bad"><failure message="1 is not 2&#10;more"/></testcase></testsuite>'
        run = self.run_script('phase_a() { echo "$REPORT" >"$LOGS/a.xml"; false; }\nrun_phase a', REPORT=report)
        self.assertIn("failed: c.bad: 1 is not 2\n", run.stdout)


if __name__ == "__main__":
    unittest.main()
