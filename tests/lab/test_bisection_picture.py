"""The picture of a bisection: whose parent is whose can be followed."""

from pgtlab import CPU, Config, boot
from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.bisection_picture import BOX, bisection_picture


def test_edges():
    b = Bisection.start(boot(Config("4k", 48), CPU.named("max")), Bad.PANICS)
    shapes = bisection_picture(b).shapes
    boxes = {s.key.split()[1]: s.attributes for s in shapes if s.key.startswith("commit ")}
    edges = [(s.key.split()[1:3], s.attributes) for s in shapes if s.key.startswith("edge ")]
    assert {tuple(ends) for ends, _ in edges} == {(str(r.number), str(p)) for r in b.revisions for p in r.parents}
    for ends, line in edges:
        if line["x1"] != line["x2"]:
            continue
        for number, box in boxes.items():
            below = line["y1"] < box["y"] + BOX / 2 < line["y2"]
            beside = abs(line["x1"] - box["x"] - BOX / 2) < BOX / 2
            assert number in ends or not (below and beside), (ends, number)
