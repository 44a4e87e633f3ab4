"""Writes lists for all users of a model, with Spark or Sail.

    python recommend.py gowalla.bspm lists/ --master 'local-cluster[2,1,2048]'
    python recommend.py gowalla.bspm lists/ --remote sc://localhost:50051

The second command uses Spark Connect. Start the server with ``sail spark server``, or start that of Spark.
"""

import argparse
import os
import sys

import bspm
import bspm.spark
from pyspark.sql import SparkSession


def session(arguments: argparse.Namespace) -> SparkSession:
    builder = SparkSession.builder.appName("bspm")
    # Workers on this machine use this interpreter, which has the package installed.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if arguments.remote:
        return builder.remote(arguments.remote).getOrCreate()
    return builder.master(arguments.master).getOrCreate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", help="model file, at the same path on all workers")
    parser.add_argument("output", help="folder for Parquet files")
    parser.add_argument("-k", type=int, default=20, help="items in each list")
    parser.add_argument("--master", default="local[*]", help="Spark master (default: local[*])")
    parser.add_argument("--remote", help="address of a Spark Connect server, for example of Sail")
    parser.add_argument("--partitions", type=int, default=16)
    arguments = parser.parse_args()

    users = list(bspm.Model.open(arguments.model).users)
    rows = [(user if isinstance(user, str) else int(user),) for user in users]
    spark = session(arguments)
    frame = spark.createDataFrame(rows, ["user"]).repartition(arguments.partitions)
    lists = bspm.spark.recommend(frame, arguments.model, arguments.k)
    lists.write.mode("overwrite").parquet(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
