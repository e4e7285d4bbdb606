"""An attack, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from support.programs import Outcome, run

MEMORY = 256 << 20
#: The limits under which each attack is tried, as the arguments of `Limits`.
LIMITS = {"default": "", "256 MiB": f"max_memory={MEMORY}"}
#: Bytes of growth that each of them allows, and seconds of processor time.
GROWTH = {"default": (2 << 30) + (300 << 20), "256 MiB": 300 << 20}
SECONDS = 3.0
#: Bytes of addresses that the process may have, so that an attack that works does not take all memory of the machine.
ADDRESSES = 6 << 30


def nothing() -> bytes:
    return b""


@dataclass(frozen=True)
class Attack:
    """A call that must end with a result or with an error of docs/errors.md, soon and within the limits."""

    name: str
    file: Callable[[], bytes] = nothing
    """Makes the bytes that the program finds as `data`."""
    options: str = ""
    """Options of `Preprocess` but for the limits, as arguments in a call."""
    limits: str = ""
    """Limits that hold in each run besides."""
    setup: str = ""
    """Lines to run before memory and time are measured."""
    call: str = "pre(data)"
    """The expression that is measured; `pre` is there, and the names of `programs.run`."""
    errors: tuple[str, ...] = ("ImageError",)
    """Classes of errors that are right."""
    result: bool = True
    """Whether a result is right as well."""
    size: int = 32
    """Of the output."""
    growth: int | None = None
    """Bytes of growth that are allowed, where they are fewer than the limits say."""

    @property
    def made(self) -> bool:
        """Whether the attack is a file."""
        return self.file is not nothing

    def run(self) -> dict[str, Outcome]:
        """The outcome under each of `LIMITS`. Processor time is more where other processes use the memory and the caches:
        what takes too much is measured twice more, and the least counts. Other faults count of each run."""
        runs = [self._run_once()]
        while len(runs) < 3 and any(one.seconds > SECONDS for one in runs[-1].values()):
            runs.append(self._run_once())
        return {limits: self._worst([run[limits] for run in runs], limits) for limits in LIMITS}

    def _worst(self, outcomes: list[Outcome], limits: str) -> Outcome:
        """The outcome with most faults, with the least of their times."""
        seconds = min(outcome.seconds for outcome in outcomes)
        timed = [replace(outcome, seconds=seconds) for outcome in outcomes]
        return max(timed, key=lambda outcome: len(self.faults(outcome, limits)))

    def _run_once(self) -> dict[str, Outcome]:
        setup = [self.setup, "pres = {}"]
        calls = {}
        for number, (name, limits) in enumerate(LIMITS.items()):
            both = ", ".join(filter(None, (self.limits, limits)))
            setup.append(
                f"pres[{number}] = clipprep.Preprocess({self.size}, limits=clipprep.Limits({both}), {self.options})"
            )
            calls[name] = f"(lambda pre: {self.call})(pres[{number}])"
        return run("\n".join(setup), calls, data=self.file(), traps=TRAPS, address_space=ADDRESSES)

    def faults(self, outcome: Outcome, limits: str) -> list[str]:
        """Why an outcome under `limits`, one of `LIMITS`, is not right."""
        found, growth = [], self.growth or GROWTH[limits]
        if outcome.kind == "error" and not set(self.errors) & set(outcome.bases):
            found.append(f"{outcome.type} is none of {self.errors}: {outcome.text[:300]}")
        elif outcome.kind == "result" and not self.result:
            found.append(f"an error is expected, got {outcome.text[:100]}")
        elif outcome.kind not in ("error", "result"):
            found.append(f"the process {outcome.kind} ({outcome.type})")
        if outcome.growth > growth:
            found.append(f"{outcome.growth >> 20} MB of growth, allowed {growth >> 20}")
        if outcome.seconds > SECONDS:
            found.append(f"{outcome.seconds:.1f} s of processor time, allowed {SECONDS:g}")
        if outcome.children:
            found.append(f"it started {outcome.children}")
        return found


#: Programs that Pillow starts to read some formats, and those that people are known to make it start.
TRAPS = ("gs", "gswin32c", "gswin64c", "djpeg", "xv", "convert", "magick")
