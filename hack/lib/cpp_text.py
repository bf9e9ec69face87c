"""C++ text for the checks: what stands outside strings and comments, and where functions are."""

import re

_QUOTED = re.compile(
    r'R"(?P<tag>[^ ()\\]{0,16})\(.*?\)(?P=tag)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\[^'\n]{1,8}|[^'\\\n])'|'\\''"  # character; digit separators match too, harmlessly
    r"|//[^\n]*|/\*.*?\*/",
    re.S,
)
_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
_ASSIGNS = re.compile(r"(?<!operator)(?<![=!<>])=(?!=)")


def code_only(text):
    """The text without strings and comments; line numbers stay."""
    return _QUOTED.sub(_hollow, text)


def functions(text):
    """(first line, last line, head) of each function with a body.

    A brace counter, no parser: at namespace or class level a brace whose head holds a parenthesis
    opens a function, and everything up to its end (lambdas, local classes) belongs to it.
    """
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", _hollow, code_only(text), flags=re.M)
    start = 0  # where the head of the next declaration begins
    at = 0
    while at < len(code):
        head = code[start:at]
        if code[at] in ";}":
            start = at + 1
        elif code[at] == "{" and _is_scope(head):
            start = at + 1
        elif code[at] == "{":
            at = _closing(code, at)
            if not re.match(r"\s*[,{]", code[at + 1:]):  # else a member initialiser, body to come
                if _is_function(head):
                    yield _line(code, start), code.count("\n", 0, at) + 1, " ".join(head.split())
                start = at + 1
        at += 1


def _hollow(match):
    text = match.group(0)
    return "\n" * text.count("\n") or ('""' if text[0] in "R\"'" else "")


def _closing(code, opening):
    """Where the brace at `opening` closes; the end of the text if it never does."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return brace.start()
    return len(code) - 1


def _line(code, start):
    """The line of the first visible character from `start` on."""
    visible = re.compile(r"\S").search(code, start)
    return code.count("\n", 0, visible.start()) + 1


def _is_scope(head):
    """A namespace, class or enum; `struct X f() {` is a function."""
    return bool(_SCOPE.search(head.split("(")[0])) or not head.strip()


def _is_function(head):
    return "(" in head and not _ASSIGNS.search(head.split("(")[0])
