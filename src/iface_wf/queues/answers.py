"""What `iface-wf queue init` asks for, checked: these words stand in job scripts, in files and on command lines."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from iface_wf.queues.resources import Caps
from iface_wf.queues.schedulers import SCHEDULERS, known_scheduler
from iface_wf.secrets import is_secret, scrub
from iface_wf.store.address import SCHEMES, parse_address

DEFAULT_NAME = "iface-wf"
#: Where the secrets of an address come from: no file of the queue holds one.
SECRET_VARIABLES = {
    "password": "IFACE_WF_MONGO_PASSWORD",
    "tlscertificatekeyfilepassword": "IFACE_WF_MONGO_TLS_KEY_PASSWORD",
}
SECRET_WORDS = {"password": "the password", "authMechanismProperties": "the session token"}


def one_line(text: str) -> str:
    """Accept a text without line breaks, other control characters and passwords.

    Raises
    ------
    ValueError
        Saying what is in it.
    """
    if not text.isprintable():
        raise ValueError("line breaks and other control characters are not allowed")
    if scrub(text) != text:
        raise ValueError("it holds a password or token, which would stand in files: leave it out (docs/mongodb.md)")
    return text


def _word(text: str) -> str:
    """Accept what stands as one word in a line for a scheduler."""
    one_line(text)
    if not re.fullmatch(r"""[^\s"'`$\\;|&<>()#-][^\s"'`$\\;|&<>()#]*""", text):
        raise ValueError("it must be one word without quotes, $, ;, # and the like")
    return text


def _module(text: str) -> str:
    one_line(text)
    if not text.strip() or text.startswith("-"):
        raise ValueError("it must be the name of a module")
    return text


def _command(text: str) -> str:
    one_line(text)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"it cannot be read as a command line: {error}") from None
    if not words:
        raise ValueError("it must name a program")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"(\w[\w.-]*@)?\w[\w.:-]*", one_line(text)):
        raise ValueError("it must be local, a host or user@host")
    return text


def work_folder(path: Path) -> Path:
    """Accept a work folder that can stand unquoted in every script and command.

    Raises
    ------
    ValueError
        Saying what is allowed.
    """
    if not path.is_absolute():
        raise ValueError("the work folder must be an absolute path")
    if not re.fullmatch(r"/[\w./+=@,-]*", str(path)):
        raise ValueError(
            "the work folder stands in job scripts, so its path may hold letters, digits and . _ + = @ , - only: no "
            "spaces, quotes, $ or ;"
        )
    return path


Line = Annotated[str, AfterValidator(one_line)]
Word = Annotated[str, AfterValidator(_word)]


class ProjectSettings(BaseModel):
    """What `iface-wf queue init` asks for."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default=DEFAULT_NAME, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Project")
    store: str = Field(description="MongoDB address without password: mongodb://user@host:27017/database")
    worker: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Name of the worker")
    scheduler: Annotated[str, AfterValidator(known_scheduler)] = Field(
        default="slurm", description="slurm, pbs, sge, or shell: no queue at all"
    )
    host: Annotated[str, AfterValidator(_host)] = Field(
        default="local", description="local, or user@host, reached with ssh"
    )
    workdir: Annotated[Path, AfterValidator(work_folder)] = Field(
        description="Folder of the runs on the worker, absolute, shared by its nodes"
    )
    queue: Word | None = Field(default=None, description="Partition or queue")
    account: Word | None = Field(default=None, description="Account to be charged")
    qos: Word | None = Field(default=None, description="Quality of service")
    parallel_environment: Word | None = Field(default=None, description="Grid Engine's, for jobs of several cores: smp")
    directives: list[Annotated[str, Field(pattern=r"^#\S"), AfterValidator(one_line)]] = Field(
        default_factory=list, description="Further lines for the scheduler, for example #SBATCH --constraint=cpu"
    )
    modules: list[Annotated[str, AfterValidator(_module)]] = Field(default_factory=list, description="Modules to load")
    activate: Line | None = Field(default=None, description="Line that makes iface-wf's Python available on the worker")
    vasp_command: Annotated[str, AfterValidator(_command)] | None = Field(
        default=None, description="Command line of VASP, for example srun vasp_std"
    )
    exports: dict[str, Line] = Field(default_factory=dict, description="Further environment variables of the jobs")
    max_jobs: int | None = Field(default=None, ge=1, description="Most jobs in the scheduler at a time")
    caps: Caps = Field(default_factory=Caps, description="Most cores, hours and memory of one job")

    @field_validator("store")
    @classmethod
    def _without_password(cls, value: str) -> str:
        if value.partition("://")[0].lower() not in SCHEMES:
            raise ValueError("a queue needs a MongoDB server: give mongodb://user@host:27017/database")
        for name in parse_address(value).secrets:
            variable = SECRET_VARIABLES.get(name.lower(), "AWS_SESSION_TOKEN")
            raise ValueError(f"leave {SECRET_WORDS.get(name, name)} out of the address and export it as {variable}")
        return value

    @field_validator("exports")
    @classmethod
    def _names_of_variables(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(f"{name[:40]!r} is no name of a variable")
            if is_secret(name, text):
                raise ValueError(
                    f"{name} looks like a password or token, which would stand in every job script: let --activate read a "
                    "file of yours that nobody else can read"
                )
        return value

    @model_validator(mode="after")
    def _said_in_words_of_the_scheduler(self) -> Self:
        knows = SCHEDULERS[self.scheduler].knows
        given = {name for each in SCHEDULERS.values() for name in each.knows if getattr(self, name)}
        if unknown := sorted(given - knows):
            known = ", ".join(sorted(knows)) or "none of these options"
            raise ValueError(f"{self.scheduler} cannot be told {unknown[0]!r}; it knows {known}")
        return self
