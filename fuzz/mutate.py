"""Damages small files in many ways and compares clipprep's outcome with live Pillow's.

    python fuzz/mutate.py --count 200000 --seed 1
    python fuzz/mutate.py --count 200000 --truncated pad

Half of the inputs at most are simple, cuts at every offset and flips of every bit of the first
2 KB, drawn from all of them; the rest are random. With --simple it is all of the simple ones. Each runs in another process, so that
a crash or a hang is caught and named. Inputs that matter are saved. The exit status is 1 after
a crash, a panic, a hang, other bits than Pillow's, or a refusal that Pillow does not share; files that
clipprep opens and Pillow refuses are counted and saved as well.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

from clipprep import ImageError, Limits, Preprocess
from clipprep.verify import CRASHED, FAILURES, SKIPPED, THEIRS, Item, Verdict, check, default_jobs
from clipprep.verify.isolated import CrashError, Isolated, isolated_map
from clipprep.verify.report import table
from mutations import mutated, systematic
from seeds import SEEDS

#: Seconds for one input, which only a hang takes, however busy the machine is.
TIMEOUT = 100.0
#: Larger images, which damaged headers ask for, are not compared: they must only do no harm.
MAX_PIXELS = 1 << 22


def strict_or_lenient(truncated: str) -> Preprocess:
    """The preprocessing under test."""
    limits = Limits(max_pixels=MAX_PIXELS)
    return Preprocess(16, pillow="installed", limits=limits, truncated=truncated)


PREPROCESS = strict_or_lenient("error")
FINDINGS = (*FAILURES, THEIRS)


def judge(item: Item, preprocess: Preprocess = PREPROCESS) -> tuple[Verdict, float]:
    """The verdict for an input, and our seconds for it."""
    verdict = check(item, preprocess=preprocess, max_pixels=MAX_PIXELS)
    start = perf_counter()
    try:
        preprocess(item.source)
    except (ImageError, OSError):
        pass
    except BaseException as error:  # a panic, or an exception of no documented class
        verdict = replace(verdict, outcome=CRASHED, clipprep=f"{type(error).__name__}: {error}")
    if "does not survive" in verdict.notes + verdict.clipprep:
        verdict = replace(verdict, outcome=CRASHED, clipprep="a decoder panicked")
    return verdict, perf_counter() - start


def pillow_alone(item: Item, truncated: str) -> str:
    """Whether Pillow survives: the outcome does not matter."""
    nobody = _Nobody(truncated)
    return check(item, preprocess=nobody, max_pixels=MAX_PIXELS).outcome  # type: ignore[arg-type]


class _Nobody:
    """In the place of `Preprocess`: refuses everything."""

    size, exif = PREPROCESS.size, False

    def __init__(self, truncated: str) -> None:
        self.truncated = truncated

    def __call__(self, source: object) -> None:
        raise ImageError("refused")


def simple(kinds: list[str]) -> Iterator[Item]:
    """Each cut and each flipped bit of each kind."""
    for kind in kinds:
        for name, data in systematic(SEEDS[kind]()):
            yield Item(data, f"{kind}/{name}")


def inputs(kinds: list[str], seed: int, count: int) -> Iterator[Item]:
    """`count` damaged files, the same ones for the same arguments."""
    rng = random.Random(seed)
    seeds = {kind: SEEDS[kind]() for kind in kinds}
    every = list(simple(kinds))
    chosen = rng.sample(every, min(len(every), count // 2))
    print(f"{len(chosen):,} of {len(every):,} simple inputs", file=sys.stderr)
    yield from chosen
    for number in range(count - len(chosen)):
        kind = kinds[number % len(kinds)]
        relatives = [data for other, data in seeds.items() if other[:3] == kind[:3]]
        name, data = mutated(rng, seeds[kind], rng.choice(relatives))
        yield Item(data, f"{kind}/{name}-{number}")


def run(
    items: Iterable[Item], jobs: int, truncated: str = "error"
) -> Iterator[tuple[Item, Verdict, float]]:
    """Every input with its verdict and our seconds."""
    alone = Isolated(partial(pillow_alone, truncated=truncated), TIMEOUT)
    one = partial(judge, preprocess=strict_or_lenient(truncated))
    try:
        found = isolated_map(one, items, jobs=jobs, timeout=TIMEOUT)
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
    """Saves an input, and its verdict beside it."""
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
    parser.add_argument(
        "--simple", action="store_true", help="every cut and every flipped bit, and nothing else"
    )
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--formats", nargs="+", default=[""], metavar="PREFIX", help="such as jpeg or png-palette"
    )
    parser.add_argument(
        "--truncated", choices=["error", "pad"], default="error", help="default: %(default)s"
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
    items = simple(kinds) if args.simple else inputs(kinds, args.seed, args.count)
    for item, verdict, seconds in run(items, args.jobs, args.truncated):
        verdicts.append(verdict)
        slowest = max(slowest, (seconds, item.name))
        group = (item.name.split("/")[0], verdict.outcome)
        if verdict.outcome in FINDINGS and kept[group] < args.keep:
            kept[group] += 1
            save(args.save, item, verdict)
            print(verdict)
        if len(verdicts) % 10_000 == 0:
            print(f"{len(verdicts):,} inputs so far", file=sys.stderr, flush=True)

    print(table(verdicts, ["kind"], lambda verdict: (verdict.source.split("/")[0],)))
    which = "simple" if args.simple else f"seed {args.seed}"
    seconds = perf_counter() - start
    print(
        f"{len(verdicts):,} inputs, {which}, truncated={args.truncated!r},"
        f" {seconds:.0f} s with {args.jobs} jobs"
    )
    print(f"the slowest for us: {slowest[0]:.3f} s, {slowest[1]}")
    if kept:
        print(f"the first of each kind of finding are in {args.save}")
    return int(any(verdict.outcome in FAILURES for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
