"""Runs the code blocks of the pages, as a plugin of pytest.

The blocks of a page run in order, in an empty folder. `python` blocks share their variables, and `sh` blocks run
in bash. An `output` block has the standard output of the block above it; its decimals may differ by one percent,
because the last digits depend on the processor. A `text` block is not run: it has a configuration, or a result on other
data. A command that starts a server (`bspm serve`, `bspm demo`) runs until the page starts another one or ends, on a
free port instead of 8080.
"""

import contextlib
import io
import math
import os
import re
import subprocess
import tempfile
from pathlib import Path

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

SERVER = re.compile(r"^bspm (?:serve|demo)\b.*\n", re.M)
DECIMAL = re.compile(r"\d+\.\d+")
SECONDS = 300


class Page:
    """The folder, the server and the last output of a page."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.before = os.getcwd(), os.environ["HOME"]
        self.server = None
        self.port = 8080
        self.output = ""
        os.chdir(self.folder.name)
        os.environ["HOME"] = self.folder.name

    def close(self):
        self.stop()
        folder, os.environ["HOME"] = self.before
        os.chdir(folder)
        self.folder.cleanup()

    def run(self, commands):
        """Runs commands in bash, and adds their standard output."""
        commands = commands.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, f"{commands}\nended with {done.returncode}\n{done.stdout}{done.stderr}"
        self.output += done.stdout

    def serve(self, command):
        """Starts a server on a free port in place of the last one, and waits until it listens."""
        self.stop()
        command = command.strip().replace(":8080", ":0")
        if "--address" not in command:
            command += " --address 127.0.0.1:0"
        self.server = subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, text=True)
        for line in self.server.stdout:
            if address := re.match(r"listening on http://[\d.]+:(\d+)", line):
                self.port = int(address.group(1))
                return
        raise AssertionError(f"{command}\nended with {self.server.wait()}")

    def stop(self):
        """Stops the server, if one runs."""
        if self.server is not None:
            self.server.terminate()
            self.server.communicate(timeout=10)
            self.server = None


def python(example: Example):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        PythonEvaluator()(example)
    example.namespace["_page"].output = printed.getvalue()


def sh(example: Example):
    page, text = example.namespace["_page"], example.parsed
    page.output, start = "", 0
    for server in SERVER.finditer(text):
        page.run(text[start : server.start()])
        page.serve(server.group())
        start = server.end()
    page.run(text[start:])


def output(example: Example):
    wanted, found = example.parsed.split(), example.namespace["_page"].output.split()
    if len(wanted) != len(found) or not all(map(is_equal, wanted, found)):
        return f"expected:\n{example.parsed}\nfound:\n{example.namespace['_page'].output}"


def is_equal(wanted, found):
    if DECIMAL.sub("", wanted) != DECIMAL.sub("", found):
        return False
    pairs = zip(map(float, DECIMAL.findall(wanted)), map(float, DECIMAL.findall(found)))
    return all(math.isclose(*pair, rel_tol=0.01, abs_tol=0.001) for pair in pairs)


def unknown(example: Example):
    return "expected a block of python, sh or output, which this test runs, or of text"


def text(example: Example):
    """Does nothing."""


EVALUATORS = {"python": python, "sh": sh, "output": output, "text": text}


def blocks(document):
    for region in FencedCodeBlockLexer(r"[^\n]*")(document):
        region.parsed = region.lexemes["source"]
        region.evaluator = EVALUATORS.get(region.lexemes["language"], unknown)
        yield region


pytest_collect_file = Sybil(
    [blocks],
    path=str(Path(__file__).resolve().parent.parent),
    pattern="*.md",
    setup=lambda variables: variables.update(_page=Page()),
    teardown=lambda variables: variables["_page"].close(),
).pytest()
