"""Damages small files in many ways and holds what clipprep makes of them against live Pillow.

    python fuzz/mutate.py --count 200000 --seed 1

Half of the inputs at most are systematic, cuts at every offset and flips of every bit of the
first 2 KB, drawn from all of them; the rest are random. Each runs in another process, so that
a crash or a hang is caught and named. Inputs that matter are saved. The exit status is 1 after
a crash, a panic, a hang, other bits than Pillow's, or a refusal that Pillow does not share; what
clipprep opens and Pillow refuses is counted and saved as well.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from mutations import mutated, systematic
from seeds import SEEDS

from clipprep import ImageError, Limits, Preprocess
from clipprep._isolated import CrashError, Isolated, isolated_map
from clipprep.verify import CRASHED, FAILURES, SKIPPED, THEIRS, Item, Verdict, check, default_jobs
from clipprep.verify_report import table

#: Seconds for one input; the longest that a sound decoder needs for one of these is far below.
TIMEOUT = 10.0
#: What a damaged header asks for beyond this is not compared, only survived.
MAX_PIXELS = 1 << 22

PREPROCESS = Preprocess(16, pillow="installed", limits=Limits(max_pixels=MAX_PIXELS))
FINDINGS = (*FAILURES, THEIRS)


def judge(item: Item) -> tuple[Verdict, float]:
    """What an input gave, and the seconds that it took us."""
    verdict = check(item, preprocess=PREPROCESS, max_pixels=MAX_PIXELS)
    start = perf_counter()
    try:
        PREPROCESS(item.source)
    except (ImageError, OSError):
        pass
    except BaseException as error:  # a panic, or an exception of no documented class
        verdict = replace(verdict, outcome=CRASHED, clipprep=f"{type(error).__name__}: {error}")
    if "does not survive" in verdict.notes + verdict.clipprep:
        verdict = replace(verdict, outcome=CRASHED, clipprep="a decoder panicked")
    return verdict, perf_counter() - start


def pillow_alone(item: Item) -> str:
    """Whether Pillow survives: the outcome does not matter."""
    return check(item, preprocess=_Nobody(), max_pixels=MAX_PIXELS).outcome  # type: ignore[arg-type]


class _Nobody:
    """In the place of `Preprocess`: refuses everything."""

    size = PREPROCESS.size

    def __call__(self, source: object) -> None:
        raise ImageError("refused")


def inputs(kinds: list[str], seed: int, count: int) -> Iterator[Item]:
    """`count` damaged files, the same ones for the same arguments."""
    rng = random.Random(seed)
    seeds = {kind: SEEDS[kind]() for kind in kinds}
    simple = [
        Item(data, f"{kind}/{name}") for kind in kinds for name, data in systematic(seeds[kind])
    ]
    chosen = rng.sample(simple, min(len(simple), count // 2))
    print(f"{len(chosen):,} of {len(simple):,} simple inputs", file=sys.stderr)
    yield from chosen
    for number in range(count - len(chosen)):
        kind = kinds[number % len(kinds)]
        relatives = [data for other, data in seeds.items() if other[:3] == kind[:3]]
        name, data = mutated(rng, seeds[kind], rng.choice(relatives))
        yield Item(data, f"{kind}/{name}-{number}")


def run(
    kinds: list[str], seed: int, count: int, jobs: int
) -> Iterator[tuple[Item, Verdict, float]]:
    """Every input with its verdict and our seconds."""
    alone = Isolated(pillow_alone, TIMEOUT)
    try:
        found = isolated_map(judge, inputs(kinds, seed, count), jobs=jobs, timeout=TIMEOUT)
        for item, result in found:
            if not isinstance(result, CrashError):
                yield item, *result
                continue
            verdict = Verdict(item.name, CRASHED, clipprep=str(result))
            try:
                alone(item)
            except CrashError as error:  # not ours to mend
                verdict = replace(verdict, outcome=SKIPPED, pillow=f"Pillow alone: {error}")
            yield item, verdict, TIMEOUT
    finally:
        alone.close()


def save(folder: Path, item: Item, verdict: Verdict) -> None:
    """Keeps an input, with what was said of it beside it."""
    assert isinstance(item.source, bytes)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / re.sub(r"[^\w.+-]+", "_", f"{verdict.outcome}/{item.name}")
    path.write_bytes(item.source)
    path.with_name(path.name + ".txt").write_text(f"{verdict}\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000, help="inputs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--formats", nargs="+", default=[""], metavar="PREFIX", help="such as jpeg or png-palette"
    )
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="default: %(default)s")
    parser.add_argument("--save", type=Path, default=Path("out/fuzz"), help="default: %(default)s")
    parser.add_argument(
        "--keep", type=int, default=10, help="inputs to save of each kind of finding"
    )
    args = parser.parse_args()
    kinds = [kind for kind in SEEDS if kind.startswith(tuple(args.formats))]
    if not kinds:
        parser.error(
            f"no kind begins with {' or '.join(args.formats)}; there are {', '.join(SEEDS)}"
        )

    start, verdicts, kept = perf_counter(), [], Counter[tuple[str, str]]()
    slowest = (0.0, "")
    for item, verdict, seconds in run(kinds, args.seed, args.count, args.jobs):
        verdicts.append(verdict)
        slowest = max(slowest, (seconds, item.name))
        group = (item.name.split("/")[0], verdict.outcome)
        if verdict.outcome in FINDINGS and kept[group] < args.keep:
            kept[group] += 1
            save(args.save, item, verdict)
            print(verdict)
        if len(verdicts) % 10_000 == 0:
            print(f"{len(verdicts):,} of {args.count:,}", file=sys.stderr, flush=True)

    print(table(verdicts, ["kind"], lambda verdict: (verdict.source.split("/")[0],)))
    print(
        f"{len(verdicts):,} inputs, seed {args.seed}, {perf_counter() - start:.0f} s with {args.jobs} jobs"
    )
    print(f"the slowest for us: {slowest[0]:.3f} s, {slowest[1]}")
    if kept:
        print(f"the first of each kind of finding are in {args.save}")
    return int(any(verdict.outcome in FAILURES for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
