"""Spark and Sail give the library's lists, bit for bit, also where a worker is killed.

Run by scripts/test-engines, with PySpark and Sail installed, a model file, and Java.
"""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow.parquet
import pytest

import bspm

MODEL = os.environ["BSPM_MODEL"]
SCRIPT = pathlib.Path(__file__).parents[2] / "examples" / "spark" / "recommend.py"
CLUSTER = "local-cluster[2,1,2048]"
K = 20


@pytest.fixture(scope="module")
def expected():
    model = bspm.Model.open(MODEL)
    items, scores = model.recommend_many(k=K)
    users = model.users
    return {
        user: (items[row].tolist(), scores[row].tobytes()) for row, user in enumerate(list(users))
    }


def run(output, *arguments):
    command = [sys.executable, SCRIPT, MODEL, output, "-k", str(K), *arguments]
    return subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)


def check(output, expected):
    table = pyarrow.parquet.read_table(output).to_pydict()
    found = {
        user: (items, np.array(scores, np.float32).tobytes())
        for user, items, scores in zip(table["user"], table["items"], table["scores"])
    }
    assert len(table["user"]) == len(expected)
    assert found == expected


def test_spark(tmp_path, expected):
    program = run(tmp_path / "lists", "--master", CLUSTER)
    assert program.wait() == 0, program.stderr.read()
    check(tmp_path / "lists", expected)


def workers_of(pid):
    """The Java processes of the cluster's workers' executors below a process."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    lines = [line.split(None, 1) for line in found.stdout.splitlines()]
    return [int(pid) for pid, args in lines if "CoarseGrainedExecutorBackend" in args and "java" in args]


def test_spark_with_a_worker_killed_in_the_middle(tmp_path, expected):
    program = run(tmp_path / "lists", "--master", CLUSTER, "--partitions", "24")
    log = []
    reader = threading.Thread(target=lambda: log.extend(program.stderr))
    reader.start()
    killed = []
    while program.poll() is None and not killed:
        started = list((tmp_path / "lists").glob("_temporary/**/*.parquet"))
        if started and (workers := workers_of(program.pid)):
            time.sleep(1)
            os.kill(workers[0], signal.SIGKILL)
            killed.append(workers[0])
        time.sleep(0.05)
    program.wait()
    reader.join()
    assert killed, "no worker was there to be killed"
    assert program.returncode == 0, "".join(log)
    assert any("executor" in line.lower() and "lost" in line.lower() for line in log), "".join(log)
    check(tmp_path / "lists", expected)


def test_sail(tmp_path, expected):
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    program = run(tmp_path / "lists", "--remote", f"sc://localhost:{port}")
    assert program.wait() == 0, program.stderr.read()
    server.stop()
    check(tmp_path / "lists", expected)
