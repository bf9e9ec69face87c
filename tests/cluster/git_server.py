"""Git repositories over HTTP, with a password: git's own http-backend behind Python's server, where pods can reach it."""
import base64
import contextlib
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "robot", "correct horse"
MAX_BODY = 16 << 20  # bytes of a request


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        path, _, query = self.path.partition("?")
        if path.startswith("/private/") and self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        length = int(self.headers.get("Content-Length", 0))
        assert length <= MAX_BODY
        # What it refuses it says in its answer, and in its exit code too.
        done = subprocess.run(["git", "http-backend"], input=self.rfile.read(length), capture_output=True, check=False,
                              env={**os.environ, "GIT_PROJECT_ROOT": self.server.root, "GIT_HTTP_EXPORT_ALL": "1",
                                   "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                                   "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length),
                                   "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                                   "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")})
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), "-c", "user.name=ada", "-c", "user.email=ada@example.com",
                           "-c", "init.defaultBranch=main", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder, files):
    """Returns its hash."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", f"changes {' '.join(files)}")
    return git(folder, "rev-parse", "HEAD")


@contextlib.contextmanager
def serving(root, address):
    """Yields the URL of what is below `root`; what is below `root`/private wants the password."""
    server = ThreadingHTTPServer((address, 0), Handler)
    server.root = str(root)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
