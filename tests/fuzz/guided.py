"""`make fuzz-coverage`: inputs that are guided by which code they reach, with atheris.

The corpus of a reader is kept small: it begins with the samples of `readers.py`, and what a run finds is in
`build/corpus`, from where the inputs that reach the most are worth a place among the samples.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).parents[2] / "build" / "corpus"


def main() -> int:
    """Run one reader until the time is over; what it fails on is in `build/corpus`."""
    try:
        import atheris
    except ModuleNotFoundError:
        print("this needs atheris: `make fuzz-coverage` installs it", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(prog="fuzz.guided", description=__doc__)
    parser.add_argument("reader", help="a reader of tests/fuzz/readers.py, such as trace")
    parser.add_argument("--seconds", type=int, default=60, help="(default: %(default)s)")
    args = parser.parse_args()
    with atheris.instrument_imports(include=["pgtlab"]):
        from fuzz.readers import READERS, outcome
    if args.reader not in READERS:
        parser.error(f"{args.reader} is not a reader; they are {', '.join(READERS)}")
    reader = READERS[args.reader]
    corpus = CORPUS / args.reader
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(reader.samples(Path(folder))):
            (corpus / f"sample-{number}").write_bytes(sample)
        options = [f"-max_total_time={args.seconds}", f"-artifact_prefix={corpus.parent}/{args.reader}-"]
        options += ["-max_len=16384", "-print_final_stats=1", "-rss_limit_mb=2048", "-timeout=60"]
        atheris.Setup(["fuzz", *options, str(corpus)], lambda content: outcome(reader, content, Path(folder)))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
