"""hack/check-clang finds races and slips, remembers what was clean, and forgets it when it must."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

REPO = pathlib.Path(__file__).resolve().parents[2]
HEADER = """#pragma once
#include "base/mutex.h"
class Account {
 public:
  int get() { %s return value_; }

 private:
  weir::Mutex mutex_;
  int value_ GUARDED_BY(mutex_) = 0;
};
"""
LOCKED, UNLOCKED = HEADER % "weir::Lock lock(mutex_);", HEADER % ""
# No library headers: what is remembered shows as well, in a tenth of the time.
PLAIN = "#pragma once\nstruct Account {\n  int get() { return 1; }\n};\n"


@unittest.skipUnless(shutil.which("clang-tidy-14"), "no clang-tidy-14: hack/install test")
class ClangTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.make_tree("one")

    def make_tree(self, name):
        """A work tree of two files, and its compile commands."""
        root = self.folder / name
        (root / "operator/base").mkdir(parents=True)
        (root / "build").mkdir()
        shutil.copy(REPO / ".clang-tidy", root)
        shutil.copy(REPO / "operator/base/mutex.h", root / "operator/base")
        (root / "operator/account.h").write_text(PLAIN)
        source = root / "operator/account.cpp"
        source.write_text('#include "account.h"\nint f(Account& a) { return a.get(); }\n')
        command = f"ccache /usr/bin/c++ -I{root}/operator -std=c++20 -Werror -o x.o -c {source}"
        entry = {"directory": str(root / "build"), "command": command, "file": str(source)}
        (root / "build/compile_commands.json").write_text(json.dumps([entry]))
        return root

    def check(self, root):
        environment = {**os.environ, "WEIR_CACHE": str(self.folder / "cache")}
        command = [REPO / "hack/check-clang", root / "build", "--root", root]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    def test_a_clean_source_is_remembered_even_in_another_clone(self):
        self.assertIn("1 sources, 0 known", self.check(self.root).stdout)
        self.assertIn("1 sources, 1 known", self.check(self.root).stdout)
        self.assertIn("1 sources, 1 known", self.check(self.make_tree("two")).stdout)

    def test_a_race_in_a_changed_header_is_found(self):
        (self.root / "operator/account.h").write_text(LOCKED)
        self.assertEqual(self.check(self.root).returncode, 0)
        (self.root / "operator/account.h").write_text(UNLOCKED)
        run = self.check(self.root)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("requires holding mutex 'mutex_'", run.stdout)

    def test_a_slip_is_found_every_time(self):
        (self.root / "operator/account.cpp").write_text("int f(int* p) {\n  p = 0;\n  return *p;\n}\n")
        for _ in range(2):
            run = self.check(self.root)
            self.assertEqual(run.returncode, 1, run.stdout)
            self.assertIn("operator/account.cpp:2", run.stdout)


if __name__ == "__main__":
    unittest.main()
