"""repo2docker reads binder/ as it is meant: parts of its Dockerfile, which needs no container engine to be written."""

import shutil
from pathlib import Path

import pytest
from repo2docker.app import Repo2Docker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """What repo2docker takes for the builder of a clone."""
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    shutil.copy(ROOT / "environment.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    app = Repo2Docker()
    packs = (kind(base_image=app.base_image) for kind in app.buildpacks)
    found = next(pack for pack in packs if pack.detect())
    found.platform = app.platform
    return found


def test_it_is_a_python_of_a_version_that_pgtlab_runs_on(pack):
    assert type(pack).__name__ == "PythonBuildPack", "binder/ comes before environment.yml"
    assert pack.python_version == "3.12"


def test_the_dockerfile_installs_pgtlab_and_enables_its_links(pack):
    written = pack.render({})
    copied, installed = written.index(" src/ ${REPO_DIR}/"), written.index('-r "binder/requirements.txt"')
    assert copied < installed < written.index("RUN ./binder/postBuild"), "the clone is there when pip installs it"
    assert (ROOT / "binder" / "requirements.txt").read_text() == ".[all]\n"
    assert "cp --recursive deploy/jupyterhub/jupyter/. " in (ROOT / "binder" / "postBuild").read_text()
