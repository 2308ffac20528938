"""`suite serve` under load by another process, against calling the predictor one text at a time.

The server is a process, the client another one (asyncio, HTTP/1.1 over kept connections, one text
in each request), so that on few cores the client takes its share of the machine too. A closed
loop: each client asks again when it has its answer.

    SUITE_BENCH_STUDY     folder with a studies/suite.db (default: the sample, searched here)
    SUITE_BENCH_ARMS      study:arm, parted by commas
    SUITE_BENCH_SECONDS   of each load
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from suite.machine import facts
from tests.benchmarks.common import RESULTS

CONCURRENCY = (1, 8, 64)
SECONDS = float(os.environ.get("SUITE_BENCH_SECONDS", "10"))
WARM_SECONDS = 1.0
MARK = "figures: "
ROOT = Path(__file__).parents[2]


def sample_study(folder):
    """A study of the bundled sample with two quick arms."""
    subprocess.run(
        [sys.executable, "-m", "suite", "study", "create", "agnews", "--sample", "--name", "s",
         "--arms", "tfidf/classic", "--arms", "tiny-bert/linear_head", "--trials", "2", "--quiet",
         "--train-rows", "600"],
        cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment(),
    )  # fmt: skip
    return ["s:tfidf/classic", "s:tiny-bert/linear_head"]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def figures(spent, seconds):
    return {
        "per_second": len(spent) / seconds,
        "p50_ms": 1000 * percentile(spent, 0.50),
        "p99_ms": 1000 * percentile(spent, 0.99),
        "requests": len(spent),
    }


# ---------------------------------------------------------------- the client, a process of its own


async def one_client(host, port, bodies, until, warm, spent):
    reader, writer = await asyncio.open_connection(host, port)
    turn = 0
    while (begun := time.perf_counter()) < until:
        body = bodies[turn % len(bodies)]
        turn += 1
        writer.write(
            b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        if begun >= warm:
            spent.append(time.perf_counter() - begun)
    writer.close()


async def load(host, port, texts, clients, seconds):
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    warm = time.perf_counter() + WARM_SECONDS
    spent = []
    await asyncio.gather(
        *(
            one_client(host, port, bodies[n:] + bodies[:n], warm + seconds, warm, spent)
            for n in range(clients)
        )
    )
    print(MARK + json.dumps(figures(spent, seconds)))


# ---------------------------------------------------------------- one text at a time, in a process


def direct(folder, texts, seconds):
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as `suite serve` has it
    from suite.strategies import load_predictor

    predictor = load_predictor(Path(folder))
    warm = time.perf_counter() + WARM_SECONDS
    spent, turn = [], 0
    while (begun := time.perf_counter()) < warm + seconds:
        predictor.predict_proba([texts[turn % len(texts)]])
        turn += 1
        if begun >= warm:
            spent.append(time.perf_counter() - begun)
    many = {}
    for size in (8, 64):
        begun = time.perf_counter()
        rounds = 0
        while time.perf_counter() - begun < min(seconds, 3):
            predictor.predict_proba(texts[:size])
            rounds += 1
        many[size] = size * rounds / (time.perf_counter() - begun)
    print(MARK + json.dumps(figures(spent, seconds) | {"batched_per_second": many}))


def child(cwd, *words, module="tests.benchmarks.serve"):
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        cwd=cwd, capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    assert lines, done.stderr[-2000:]
    return json.loads(lines[-1].removeprefix(MARK))


@contextmanager
def serving(cwd, study, arm, *words):
    """Within: `suite serve` of an arm in a process of its own; gives its host and port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "suite", "serve", study, "--arm", arm, "--port", "0", *words],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(),
    )  # fmt: skip
    try:
        line = next(line for line in process.stdout if line.startswith("Serving"))
        yield line.rsplit("//", 1)[1].strip().split(":")
    finally:
        process.terminate()
        code = process.wait(120)
    assert code == 0, code


def served(cwd, study, arm, texts_file, extra):
    """What a served arm gives at each concurrency."""
    with serving(cwd, study, arm, *extra) as (host, port):
        return {n: child(cwd, "load", host, port, texts_file, n, SECONDS) for n in CONCURRENCY}


def main():
    with tempfile.TemporaryDirectory() as scratch:
        cwd = os.environ.get("SUITE_BENCH_STUDY") or scratch
        named = os.environ.get("SUITE_BENCH_ARMS", "")
        arms = named.split(",") if named else sample_study(scratch)
        rows = [measured(cwd, *arm.split(":", 1), Path(scratch)) for arm in arms]
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": "serve", "date": time.strftime("%Y-%m-%d"), "seconds": SECONDS, "arms": rows,
        "environment": facts.environment(),
    }  # fmt: skip
    (RESULTS / "serve.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))


def measured(cwd, study, arm, scratch):
    from suite.data import snapshot

    before = Path.cwd()
    os.chdir(cwd)
    try:
        from suite.study.winner import winner

        kept = winner(study, arm)
        texts = list(snapshot.read_split(kept.snapshot, "validation").texts[:256])
    finally:
        os.chdir(before)
    file = scratch / "texts.json"
    file.write_text(json.dumps(texts))
    alone = child(cwd, "direct", kept.folder, file, SECONDS)
    print(f"serve: {study} {arm}: {len(texts)} texts")
    batched = ", ".join(f"{v:,.0f}/s by {k}" for k, v in alone["batched_per_second"].items())
    _show("predictor, one text at a time", alone, f"   ({batched} at once)")
    over_http = {}
    for wait in ("0", "2"):
        over_http[wait] = served(cwd, study, arm, file, ("--max-wait-ms", wait))
        for clients, found in over_http[wait].items():
            _show(f"served, {clients} clients, max-wait-ms {wait}", found)
    return {"study": study, "arm": arm, "direct": alone, "served_by_max_wait_ms": over_http}


def _show(name, found, more=""):
    print(
        f"  {name:<40} {found['per_second']:>9,.0f} requests/s   p50 {found['p50_ms']:>8.2f} ms"
        f"   p99 {found['p99_ms']:>8.2f} ms{more}",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1] == "load":
        _, _, address, port, file, clients, seconds = sys.argv
        texts = json.loads(Path(file).read_text())
        asyncio.run(load(address, int(port), texts, int(clients), float(seconds)))
    else:
        _, _, folder, file, seconds = sys.argv
        direct(folder, json.loads(Path(file).read_text()), float(seconds))
