"""Ingest: real files into each engine, against the same rows written by a bare UNWIND ... CREATE.

Each figure is taken on an engine started for it alone: the import in a process
of its own, so that its peak memory is the import's; then, through the same
driver and on another fresh engine with the one index that links need, the rows
that the import made. Reads crawl, tagpacks, stix21 and followthemoney of the
data folder; `--n` takes only files that hold about so many records.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import neo4j
import psutil

from api.pipeline import Handling, Pipeline
from api.settings import Settings
from bench.goal import print_goal
from graph.embedded import DATABASE as EMBEDDED_DATABASE
from graph.embedded import USER as EMBEDDED_USER
from graph.embedded import open_embedded
from ontology.observer import SYSTEM
from tests.engines.neo4j import DATABASE as NEO4J_DATABASE
from tests.engines.neo4j import LONG_TERM, Unavailable, open_server

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
FOLDERS = ("crawl/warc_wacz", "crawl/job_ads_emscad", "crypto/tagpacks", "agency/stix21", "agency/followthemoney")
MAPPINGS = {".csv": ROOT / "bench" / "job_ads.mapping.yaml"}
LABEL = ROOT / "docs" / "labels" / "published.yaml"
BYTES_PER_RECORD = 75
BATCH = 2_000
MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Engine:
    """A fresh engine: how to reach it, and how much memory its processes took at most."""

    name: str
    address: str
    user: str
    password: str
    database: str
    home: Path

    def driver(self) -> neo4j.Driver:
        """Open the plain driver."""
        return neo4j.GraphDatabase.driver(self.address, auth=(self.user, self.password))

    def peak_megabytes(self) -> float:
        """Return the highest resident memory so far of the Java processes below this one."""
        peaks = [_peak_of(child.pid) for child in psutil.Process().children(recursive=True)]
        return max(peaks, default=0) / MEGABYTE

    def cpu_seconds(self) -> float:
        """Return the processor time that the Java processes below this one took so far."""
        times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
        return sum(t.user + t.system for t in times)


def main() -> None:
    """Measure each engine and print the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=0, help="about how many records (default: all files)")
    parser.add_argument("--rounds", type=int, default=2, help="import and floor, so many times each")
    parser.add_argument("--engine", choices=["embedded", LONG_TERM.name], help="one engine only")
    parser.add_argument("--import-only", nargs=2, metavar=("HOME", "STORE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    files = _choose_files(args.n)
    if args.import_only:
        print(json.dumps(_import(files, Path(args.import_only[0]), args.import_only[1])))
        return
    names = [args.engine] if args.engine else ["embedded", LONG_TERM.name]
    for name in names:
        try:
            _measure(name, files, args)
        except Unavailable as exc:
            print(f"{name}: not measured: {exc}")


def _measure(name: str, files: list[Path], args: argparse.Namespace) -> None:
    imports, floors = [], []
    for number in range(args.rounds):
        with _fresh(name) as engine:
            found = _run_import(engine, args.n)
            found |= {"engine_peak_mb": round(engine.peak_megabytes()), "engine_cpu_s": round(engine.cpu_seconds(), 1)}
            imports.append(found)
            rows = _read_rows(engine)
        with _fresh(name) as engine:
            floors.append(_write_floor(engine, rows))
        print(f"{name} round {number + 1}: import {found['wall_s']:.1f} s, floor {floors[-1]:.1f} s")
    last = imports[-1]
    print(f"{name}: {len(files)} files, {last['records']:,} records, {last['links']:,} links", end=", ")
    print(f"{last['tags']:,} tags of {last['wallets']:,} wallets")
    print(f"  rejections {last['rejections']}: {last['reasons']}")
    wall = median(one["wall_s"] for one in imports)
    rate = (last["records"] + last["links"]) / wall
    print(
        f"  wall {wall:.1f} s, our cpu {last['cpu_s']:.1f} s, engine cpu {last['engine_cpu_s']} s, {rate:,.0f} rows/s"
    )
    print(f"  peak memory: ours {last['peak_mb']:.0f} MB, engine {last['engine_peak_mb']} MB")
    ratio = median(one["wall_s"] / floor for one, floor in zip(imports, floors, strict=True))
    print_goal(f"ingest_{name}_wall_over_floor", round(ratio, 2), "<=", 3.0)
    print_goal(f"ingest_{name}_our_peak_mb", round(max(one["peak_mb"] for one in imports)), "<=", 400)


@contextlib.contextmanager
def _fresh(name: str) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="vinculum-bench-") as folder:
        home = Path(folder)
        if name == "embedded":
            with open_embedded(home) as engine:
                yield Engine(
                    name, engine.address, EMBEDDED_USER, engine.runtime.password, EMBEDDED_DATABASE, home
                )  # fmt: skip
        else:
            with open_server(LONG_TERM) as server:
                yield Engine(name, server.address, server.user, server.password, NEO4J_DATABASE, home)


def _run_import(engine: Engine, count: int) -> dict[str, Any]:
    store = "embedded" if engine.name == "embedded" else engine.address
    environment = os.environ | {"VINCULUM_STORE_USER": engine.user, "VINCULUM_STORE_PASSWORD": engine.password}
    command = [sys.executable, "-m", "bench.ingest", "--n", str(count), "--import-only", str(engine.home), store]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    if answer.returncode:
        raise SystemExit(f"the import failed:\n{answer.stderr}")
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _import(files: list[Path], home: Path, store: str) -> dict[str, Any]:
    settings = Settings(home=home, store=store)
    with Pipeline.open(settings) as pipeline:
        started, cpu = time.monotonic(), time.process_time()
        reports = [
            pipeline.import_paths([file], Handling.read(None, LABEL, MAPPINGS.get(file.suffix)), lambda *_: None)
            for file in files
        ]
        wall, used = time.monotonic() - started, time.process_time() - cpu
        # Not ru_maxrss: that keeps the peak of the process that started this one.
        peak = _peak_of(os.getpid())
        wallets = pipeline.view(SYSTEM).counts().get("CryptoWallet", 0)
        tags = sum(
            1 for record in pipeline.view(SYSTEM).iter_records(["CryptoWallet"]) if "tagLabel" in record.properties
        )
    rejections = [rejection for report in reports for rejection in report.rejections]
    return {
        "records": sum(report.records for report in reports),
        "links": sum(report.links for report in reports),
        "rejections": len(rejections),
        "reasons": dict(Counter(f"expected {r.expected}, found {r.found}" for r in rejections).most_common()),
        "wall_s": wall,
        "cpu_s": used,
        "peak_mb": peak / MEGABYTE,
        "wallets": wallets,
        "tags": tags,
    }


def _read_rows(engine: Engine) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Return what the import wrote: nodes by their labels, relationships by their type."""
    nodes: dict[str, list[Any]] = {}
    relations: dict[str, list[Any]] = {}
    with engine.driver() as driver, driver.session(database=engine.database) as session:
        for labels, row in session.run("MATCH (n:Record) RETURN labels(n), properties(n)"):
            nodes.setdefault(":".join(sorted(labels)), []).append(row)
        text = "MATCH (a:Record)-[r]->(b:Record) RETURN type(r), a.id, b.id, properties(r)"
        for kind, left, right, row in session.run(text):
            relations.setdefault(kind, []).append({"left": left, "right": right, "row": row})
    return nodes, relations


def _write_floor(engine: Engine, rows: tuple[dict[str, list[Any]], dict[str, list[Any]]]) -> float:
    """Write the rows with nothing but UNWIND and CREATE; return the seconds that it took."""
    nodes, relations = rows
    with engine.driver() as driver, driver.session(database=engine.database) as session:
        session.run("CREATE CONSTRAINT floor_id IF NOT EXISTS FOR (n:Record) REQUIRE n.id IS UNIQUE").consume()
        started = time.monotonic()
        for labels, many in nodes.items():
            text = f"UNWIND $rows AS row CREATE (n:{labels}) SET n = row"
            _write_all(session, text, many)
        for kind, many in relations.items():
            ends = "MATCH (a:Record {id: row.left}) MATCH (b:Record {id: row.right})"
            _write_all(session, f"UNWIND $rows AS row {ends} CREATE (a)-[r:{kind}]->(b) SET r = row.row", many)
        return time.monotonic() - started


def _write_all(session: neo4j.Session, text: str, rows: list[Any]) -> None:
    for start in range(0, len(rows), BATCH):
        session.execute_write(_run, text, rows[start : start + BATCH])


def _run(work: neo4j.ManagedTransaction, text: str, rows: list[Any]) -> None:
    work.run(text, rows=rows).consume()


def _choose_files(count: int) -> list[Path]:
    """Return the files to import, smallest first while they hold about so many records (0: all)."""
    found = [file for folder in FOLDERS for file in (DATA / folder).rglob("*") if file.is_file()]
    files = [f for f in found if f.suffix in {".warc", ".gz", ".jsonl", ".csv", ".yaml", ".json", ".ijson"}]
    if not files:
        raise SystemExit(f"no data: expected the sample files below {DATA}")
    if not count:
        return sorted(files)
    chosen: list[Path] = []
    size = 0
    for file in sorted(files, key=lambda f: (f.stat().st_size, f)):
        size += file.stat().st_size
        if chosen and size > count * BYTES_PER_RECORD:
            break
        chosen.append(file)
    return chosen


def _peak_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
