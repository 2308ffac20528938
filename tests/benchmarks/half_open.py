"""`suite serve` asked by eight clients, alone and beside connections that never finish a request.

Kinds of such connections, a quarter each: a head that does not end, a body that does not end (each
with a further byte every few seconds), a connection that says nothing, and one that asks and never
reads. Those that the server closes are opened again. All on loopback, with a bound on their number
and on the time.

    SUITE_BENCH_STUDY      folder with a studies/suite.db (default: the sample, searched here)
    SUITE_BENCH_ARMS       study:arm, the first counts
    SUITE_BENCH_SECONDS    of each load, 60 at most
    SUITE_BENCH_HALF_OPEN  connections, 4,000 at most (default 2,000)
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite.machine import facts
from tests.benchmarks.common import RESULTS
from tests.benchmarks.serve import MARK, SECONDS, child, environment, figures, sample_study, serving

CONNECTIONS = min(4000, int(os.environ.get("SUITE_BENCH_HALF_OPEN", "2000")))
CLIENTS = 8
HEAD = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
BODY = json.dumps({"texts": ["unread"] * 64}).encode()
#: What is sent at once, and what every few seconds.
KINDS = (
    (b"GET /health HTTP/1.1\r\nhost: localhost\r\nx: ", b"y"),
    (HEAD + b'content-length: 9999\r\n\r\n{"text": "', b"y"),
    (b"", b""),
    (HEAD + b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY), b""),
)
STEP_SECONDS = 3.0


async def hold(host, port, number, until, opened):
    """One connection after another that keeps the server waiting."""
    first, more = KINDS[number % len(KINDS)]
    while time.perf_counter() < until:
        try:
            reader, writer = await asyncio.open_connection(host, port, limit=1)
        except OSError:
            await asyncio.sleep(0.5)
            continue
        opened[0] += 1
        reader._transport.pause_reading()
        try:
            writer.write(first)
            while not writer.is_closing() and time.perf_counter() < until:
                await asyncio.sleep(STEP_SECONDS)
                writer.write(more or b"")
                if not more:  # what was closed is noticed by reading alone
                    reader._transport.resume_reading()
                    await asyncio.sleep(0)
                    reader._transport.pause_reading()
        except OSError:
            pass
        finally:
            writer.transport.abort()


async def ask(host, port, texts, number, until, warm, spent, refused):
    """An honest client: it asks again when it has its answer, and comes again when thrown out."""
    bodies = [json.dumps({"text": text}).encode() for text in texts[number:] + texts[:number]]
    writer, turn = None, 0
    while (begun := time.perf_counter()) < until:
        body = bodies[turn % len(bodies)]
        turn += 1
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(host, port)
            writer.write(HEAD + b"content-length: %d\r\n\r\n%s" % (len(body), body))
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if not head.startswith(b"http/1.1 200"):
                raise ConnectionError(head)
        except (OSError, EOFError, TimeoutError):
            refused[0] += begun >= warm
            if writer is not None:
                writer.transport.abort()
            writer = None
            await asyncio.sleep(0.05)
            continue
        if begun >= warm:
            spent.append(time.perf_counter() - begun)


async def honest(host, port, texts, seconds):
    """What eight clients get."""
    warm = time.perf_counter() + 1.0
    spent, refused = [], [0]
    asking = (
        ask(host, port, texts, n, warm + seconds, warm, spent, refused) for n in range(CLIENTS)
    )
    await asyncio.gather(*asking)
    found = figures(spent, seconds) if spent else {"requests": 0}
    print(MARK + json.dumps(found | {"refused": refused[0]}))


async def attack(host, port, seconds):
    """Holds connections open until its time is over; says when all of them were once."""
    until = time.perf_counter() + seconds
    opened = [0]
    holding = [
        asyncio.ensure_future(hold(host, port, n, until, opened)) for n in range(CONNECTIONS)
    ]
    while opened[0] < CONNECTIONS and time.perf_counter() < until:
        await asyncio.sleep(0.1)
    print("open", flush=True)
    await asyncio.gather(*holding)


def measured(cwd, study, arm, texts_file, *words):
    """Honest figures of one server, alone and beside the others."""
    seconds = min(60.0, SECONDS)
    module = "tests.benchmarks.half_open"
    with serving(cwd, study, arm, *words) as (host, port):
        alone = child(cwd, "honest", host, port, texts_file, seconds, module=module)
        others = subprocess.Popen(
            [sys.executable, "-m", module, "attack", host, port, str(seconds + 60)],
            cwd=cwd, stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        try:
            others.stdout.readline()
            beside = child(cwd, "honest", host, port, texts_file, seconds, module=module)
        finally:
            others.kill()
            others.wait()
    return {"alone": alone, "beside": beside}


def main():
    with tempfile.TemporaryDirectory() as scratch:
        cwd = os.environ.get("SUITE_BENCH_STUDY") or scratch
        named = os.environ.get("SUITE_BENCH_ARMS", "")
        study, arm = (named.split(",") if named else sample_study(scratch))[0].split(":", 1)
        file = Path(scratch) / "texts.json"
        file.write_text(json.dumps([f"Oil prices fall as supply grows {n}" for n in range(256)]))
        found = measured(cwd, study, arm, file)
    print(f"half_open: {study} {arm}, {CLIENTS} clients, {CONNECTIONS:,} half-open connections")
    for name, row in found.items():
        print(
            f"  {name:<8} {row.get('per_second', 0):>8,.0f} requests/s"
            f"   p50 {row.get('p50_ms', 0):>8.2f} ms   p99 {row.get('p99_ms', 0):>8.2f} ms"
            f"   {row['refused']:,} refused",
            flush=True,
        )
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": "half_open", "date": time.strftime("%Y-%m-%d"), "clients": CLIENTS,
        "half_open": CONNECTIONS, "arm": arm, **found, "environment": facts.environment(),
    }  # fmt: skip
    (RESULTS / "half_open.json").write_text(json.dumps(content, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    _, what, address, port, *words = sys.argv
    if what == "honest":
        lines = json.loads(Path(words[0]).read_text())
        asyncio.run(honest(address, int(port), lines, float(words[1])))
    else:
        asyncio.run(attack(address, int(port), float(words[0])))
