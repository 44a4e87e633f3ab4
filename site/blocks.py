"""Runs the code blocks of the pages, as a plugin of pytest.

The blocks of a page run in order, in an empty folder. `python` blocks share their variables, and `sh` blocks run
in bash. An `output` block has the standard output of the block above it; `...` in it matches any text. A command
that starts a server (`bspm serve`, `bspm demo`) runs until the end of the page, on a free port instead of 8080.
"""

import contextlib
import doctest
import io
import os
import re
import signal
import subprocess
import tempfile

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SERVER = re.compile(r"^bspm (?:serve|demo)\b.*\n", re.M)
TIME_LIMIT = 300


def setup(page):
    folder = tempfile.TemporaryDirectory()
    page.update(folder=folder, before=(os.getcwd(), os.environ["HOME"]), servers=[], port=None, output="")
    os.chdir(folder.name)
    os.environ["HOME"] = folder.name


def teardown(page):
    for server in page["servers"]:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=10)
        server.stdout.close()
    folder, os.environ["HOME"] = page["before"]
    os.chdir(folder)
    page["folder"].cleanup()


def python(example: Example):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        PythonEvaluator()(example)
    example.namespace["output"] = printed.getvalue()


def sh(example: Example):
    page, text = example.namespace, example.parsed
    page["output"] = ""
    start = 0
    for server in SERVER.finditer(text):
        run(page, text[start : server.start()])
        serve(page, server.group().strip())
        start = server.end()
    run(page, text[start:])


def run(page, commands):
    """Runs commands in bash, and keeps their standard output."""
    if page["port"] is not None:
        commands = commands.replace("127.0.0.1:8080", f"127.0.0.1:{page['port']}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, f"{commands}\nended with {done.returncode}\n{done.stdout}{done.stderr}"
    page["output"] += done.stdout


def serve(page, command):
    """Starts a server on a free port, and waits until it listens."""
    command = command.replace(":8080", ":0")
    if "--address" not in command:
        command += " --address 127.0.0.1:0"
    server = subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, text=True)
    page["servers"].append(server)
    for line in server.stdout:
        if address := re.match(r"listening on http://[\d.]+:(\d+)", line):
            page["port"] = int(address.group(1))
            return
    raise AssertionError(f"{command}\nended with {server.wait()}")


def output(example: Example):
    wanted, found = str(example.parsed), example.namespace["output"]
    if not doctest.OutputChecker().check_output(wanted, found, FLAGS):
        return f"expected:\n{wanted}\nfound:\n{found}"


def unknown(example: Example):
    return "expected a block of python, sh or output, which this test runs"


EVALUATORS = {"python": python, "sh": sh, "output": output}


def blocks(document):
    for region in FencedCodeBlockLexer(r"[^\n]*")(document):
        region.parsed = region.lexemes["source"]
        region.evaluator = EVALUATORS.get(region.lexemes["language"], unknown)
        yield region


pytest_collect_file = Sybil([blocks], pattern="*.md", setup=setup, teardown=teardown).pytest()
