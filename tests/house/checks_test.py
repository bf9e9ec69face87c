"""The checks of the house find what they are there to find: each gets a small tree with a fault."""

import pathlib
import subprocess
import tempfile
import unittest

HACK = pathlib.Path(__file__).resolve().parents[2] / "hack"
HEADER = "#pragma once\n"


class CheckTest(unittest.TestCase):
    check = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("operator/base/good.h", HEADER)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_check(self):
        return subprocess.run([HACK / self.check, self.root], capture_output=True, text=True)

    def assert_found(self, name, text, *expected):
        self.write(name, text)
        run = self.run_check()
        self.assertEqual(run.returncode, 1, run.stdout)
        for problem in expected:
            self.assertIn(problem, run.stdout)

    def assert_clean(self, name, text):
        self.write(name, text)
        run = self.run_check()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class Layers(CheckTest):
    check = "check-layers"

    def test_an_include_against_the_arrows_is_found(self):
        self.assert_found("operator/base/x.cpp", '#include "kube/object.h"\n',
                          "operator/base/x.cpp:1: base/ may not include kube/object.h")

    def test_a_folder_may_be_open_in_part(self):
        self.assert_clean("operator/delivery/x.h", HEADER + '#include "runtime/store.h"\n')
        self.assert_found("operator/delivery/y.h", HEADER + '#include "runtime/executor.h"\n',
                          "y.h:2: delivery/ may not include runtime/executor.h")

    def test_pure_folders_see_the_types_of_kube_only(self):
        self.assert_clean("operator/api/x.h", HEADER + '#include "kube/object.h"\n')
        self.assert_found("operator/api/y.h", HEADER + '#include "kube/api_client.h"\n', "y.h:2: ")

    def test_pure_folders_have_no_threads(self):
        self.assert_found("operator/delivery/x.cpp", "#include <thread>\n", "delivery/ is pure")

    def test_third_party_headers_stay_in_their_folder(self):
        self.assert_clean("operator/net/x.cpp", "#include <httplib.h>\n#include <sys/socket.h>\n")
        self.assert_found("operator/kube/x.cpp", "#include <httplib.h>\n", "httplib.h only in net/")

    def test_third_party_headers_stay_out_of_our_headers(self):
        self.assert_clean("operator/kube/x.h", HEADER + "#include <nlohmann/json_fwd.hpp>\n")
        self.assert_found("operator/kube/y.h", HEADER + "#include <yaml-cpp/yaml.h>\n",
                          "third-party yaml-cpp/yaml.h in a header")

    def test_an_unknown_library_is_found(self):
        self.assert_found("operator/base/x.cpp", "#include <boost/asio.hpp>\n", "unknown third-")

    def test_an_unknown_folder_is_found(self):
        self.assert_found("operator/misc/x.h", HEADER, "misc/ is not in the table")

    def test_main_knows_everything(self):
        self.assert_clean("operator/main.cpp", '#include "cli/x.h"\n#include "plugins/all.h"\n')

    def test_throw_and_the_time_of_day_are_found(self):
        self.assert_found("operator/kube/x.cpp",
                          "void f() {\n  throw 1;\n}\nauto t = std::chrono::system_clock::now();\n"
                          "void g() { std::this_thread::sleep_for(s); }\n",
                          "x.cpp:2: return a Result", "x.cpp:4: take the time", "x.cpp:5: wait on")

    def test_comments_and_strings_may_say_anything(self):
        self.assert_clean("operator/kube/x.cpp",
                          '// We never throw.\nauto s = "throw"; /* sleep_for\n#include "cli/x.h" */\n'
                          'auto r = R"(\n#include "cli/x.h"\n throw)";\nchar c = \'"\';  // throw "\n')

    def test_an_empty_tree_is_no_pass(self):
        (self.root / "operator/base/good.h").unlink()
        self.assertEqual(self.run_check().returncode, 1)


class Tidy(CheckTest):
    check = "check-tidy"

    def test_a_long_file_is_found(self):
        self.assert_clean("operator/base/x.cpp", "int x;\n" * 500)
        self.assert_found("operator/base/y.cpp", "int x;\n" * 501, "y.cpp:1: 501 lines; at most 500")

    def test_tests_may_be_longer(self):
        self.assert_clean("tests/unit/x.cpp", "int x;\n" * 800)
        self.assert_found("tests/unit/y.cpp", "int x;\n" * 801, "801 lines; at most 800")

    def test_a_long_function_is_found(self):
        body = "namespace weir {{\n\nX::X() : a_{{1}},\n         b_{{{{2}}}} {{\n{}}}\n}}\n"
        self.assert_clean("operator/base/x.cpp", body.format("  if (a) { b(); }\n" * 67))
        self.assert_found("operator/base/y.cpp", body.format("  if (a) { b(); }\n" * 68),
                          "y.cpp:3: function of 71 lines; at most 70: X::X()")

    def test_long_tables_and_classes_are_no_functions(self):
        table = "const std::map<A, B> kTable = {\n" + '  {"(", f()},\n' * 90 + "};\n"
        self.assert_clean("operator/base/x.cpp", table + "class X {\n" + "  int f();\n" * 90 + "};\n")

    def test_long_functions_in_scripts_are_found(self):
        self.assert_found("hack/x.sh", "f() {\n" + "  :\n" * 69 + "}\n", "x.sh:1: function of 71")
        self.assert_found("hack/y.py", "def f():\n" + "    pass\n" * 70, "y.py:1: function of 71")

    def test_a_long_line_is_found(self):
        self.assert_clean("operator/base/x.cpp", "int " + "x" * 95 + ";\n")
        self.assert_found("operator/base/y.cpp", "int " + "x" * 96 + ";\n", "y.cpp:1: 101 columns")

    def test_what_is_left_to_do_names_who_knows(self):
        self.assert_clean("operator/base/x.cpp", "// TODO(ada): later\n")
        self.assert_found("operator/base/y.cpp", "// TO" "DO: later\n", "y.cpp:1: say who knows")

    def test_a_path_of_one_machine_is_found(self):
        self.assert_found("hack/notes.md", f"see {self.root.resolve()}/x\n", "notes.md:1: a path of")
        self.assert_found("hack/more.md", "see /ho" "me/ada/x\n", "more.md:1: a path of")

    def test_a_header_says_what_it_is_for(self):
        self.assert_found("operator/base/x.h", "\n#pragma once\n", "x.h:1: a header begins with")
        self.assert_found("operator/base/y.h", "// Why.\n", "y.h:1: no #pragma once")

    def test_a_script_can_be_executed(self):
        self.assert_found("hack/x", "#!/bin/sh\n", "x:1: a script that cannot be executed")


if __name__ == "__main__":
    unittest.main()
