"""Spark, with a worker that is killed, and Sail give the library's lists, bit for bit.

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
    # Run everything on this machine, regardless of its host name.
    local = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost"}
    return subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True, env=local)


def check(output, expected):
    table = pyarrow.parquet.read_table(output).to_pydict()
    found = {
        user: (items, np.array(scores, np.float32).tobytes())
        for user, items, scores in zip(table["user"], table["items"], table["scores"])
    }
    assert len(table["user"]) == len(expected)
    assert found == expected


def processes(text):
    """The processes that have this in their command."""
    found = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    lines = [line.split(None, 1) for line in found.stdout.splitlines()[1:]]
    return [int(pid) for pid, command in lines if text in command]


def test_spark_with_a_worker_killed_in_the_middle(tmp_path, expected):
    program = run(tmp_path / "lists", "--master", CLUSTER, "--partitions", "24")
    log = []
    reader = threading.Thread(target=lambda: log.extend(program.stderr))
    reader.start()
    killed = []
    while program.poll() is None and not killed:
        # Python runs in the workers only while lists are made.
        if processes("pyspark.daemon"):
            time.sleep(3)
            executor = processes("CoarseGrainedExecutorBackend")[0]
            os.kill(executor, signal.SIGKILL)
            killed.append(executor)
        time.sleep(0.1)
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
    log = program.communicate()[1]
    server.stop()
    assert program.returncode == 0, log
    check(tmp_path / "lists", expected)
