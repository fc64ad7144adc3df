"""A view's JavaScript and the modules that it imports, as one module."""

import json
import subprocess

import deno
import pgtlab_widgets
import pytest
from pgtlab_widgets import view

VIEWS = [each for name in pgtlab_widgets.__all__ if hasattr(each := getattr(pgtlab_widgets, name), "_esm")]


def run(code):
    done = subprocess.run(
        [deno.find_deno_bin(), "run", "--no-remote", "--no-npm", "--no-config", "-"],
        input=code,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(code):
    """An expression: the module of that text, as a page imports it."""
    return f"(await import(URL.createObjectURL(new Blob([{json.dumps(code)}], {{type: 'text/javascript'}}))))"


def test_every_view_is_one_module():
    modules = ", ".join(imported(str(each._esm)) for each in VIEWS)
    assert run(f"console.log([{modules}].map((module) => typeof module.default.render).join())") == (
        ",".join(["function"] * len(VIEWS)) + "\n"
    )


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(view, "HERE", tmp_path)

    def write(**modules):
        for name, text in modules.items():
            (tmp_path / f"{name}.js").write_text(text)

    return write


def test_names_of_different_modules_stay_apart(files):
    files(
        a='const own = "a";\nexport const a = () => own;\n',
        b='import { a } from "./a.js";\nconst own = "b";\nexport function b() {\n  return a() + own;\n}\n',
        main='import { b } from "./b.js";\nconst own = "c";\nexport default own + b();',
    )
    assert run(f"console.log({imported(view.module('main'))}.default)") == "cab\n"
    assert view.module("main").count('const own = "a"') == 1


@pytest.mark.parametrize(
    "statement",
    ['import * as a from "./a.js";', 'import { a as b } from "./a.js";', 'import "./a.js";', "export { a };"],
)
def test_other_forms_are_refused(files, statement):
    files(a="export const a = 1;\n", main=f"{statement}\nexport default 1;\n")
    with pytest.raises(ValueError, match=r"^main\.js, or what it imports: (import|export)"):
        view.module("main")
