"""Examples that start workers: their commands are ones that vsearch has, and they can be read."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from vsearch.cli import app

REPOSITORY = Path(__file__).parents[1]
DEPLOY = REPOSITORY / "deploy"
EXAMPLES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
INDEX = typer.main.get_command(app).commands["index"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs_the_command_with_options_that_it_has_and_is_documented(example):
    known = {option for parameter in INDEX.params for option in parameter.opts}
    text = example.read_text()
    commands = re.findall(r"vsearch[\"', ]+index[\"', ](.*)", text)
    assert commands
    assert {option for line in commands for option in re.findall(r"--[a-z-]+", line)} <= known
    guide = (REPOSITORY / "docs" / "many-machines.md").read_text()
    assert f"`{example.relative_to(REPOSITORY)}`" in guide


def test_the_job_can_be_read_and_keeps_the_password_out_of_the_command():
    job = yaml.safe_load((DEPLOY / "kubernetes" / "vsearch-index.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one for one in container["env"]}
    assert "secretKeyRef" in given["PGPASSWORD"]["valueFrom"]
    assert given["VSEARCH_CATALOG"]["value"].startswith("postgresql://vsearch@")


def test_the_scripts_of_shells_have_no_error_of_syntax():
    for script in DEPLOY.rglob("*.sbatch"):
        subprocess.run(["bash", "-n", script], check=True)


def test_the_unit_starts_again_after_what_passes_and_not_after_wrong_usage():
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read(DEPLOY / "systemd" / "vsearch-index@.service")
    service = unit["Service"]
    assert (service["Restart"], service["SuccessExitStatus"]) == ("on-failure", "3")
    assert service["RestartPreventExitStatus"] == "2"
