"""Passwords and tokens: which variables hold one, how to keep them from programs that are started, and from all texts.

A program that is started inherits the environment of the one that starts it, and whatever writes its own environment
down (a log, the record of a helper, a job script) writes the passwords with it. So nothing gets them that has no use
for them.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

#: Variables of our own whose values are secret; nobody but this program needs them.
OWN = frozenset({"IFACE_WF_MONGO_PASSWORD", "IFACE_WF_MONGO_TLS_KEY_PASSWORD"})
#: What stands for a secret in a text.
HIDDEN = "***"

#: Schedulers and MPI libraries hand their own tickets to the processes of a job, which cannot start without them.
_OF_JOBS = re.compile(r"(SLURM|PMI|PMIX|PALS|PBS|SGE|FLUX|OMPI|PRTE|MPICH|I_MPI|HYDRA|MUNGE|LSF|LSB|COBALT)_")
_ANYWHERE = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|APIKEY|CONNECTION_?STRING", re.IGNORECASE)
_WORDS = frozenset({"PASS", "PASSWD", "SSHPASS", "TOKEN", "TOKENS", "JWT", "PAT", "DSN", "KEY", "APIKEY"})
_LOGIN = re.compile(r"\w://[^/?#\s]*:[^\s]*@")
_TELLS = re.compile(r"password|passphrase|session_token", re.IGNORECASE)
#: Where a text shows a login, or an option of an address that holds a password.
_MONGODB = re.compile(r"(mongodb(?:\+srv)?:/*)[^:\s]*:.*@", re.IGNORECASE)
_URL = re.compile(r"((?:\b\w[\w+.-]*:)?//)[^/\s@]*:\S*@")
_BARE = re.compile(r"(?<![\w/.@-])([A-Za-z][\w.-]*:)(?!/)\S+@(?=\w)")
_OPTION = re.compile(r"(\b\w*(?:password|passphrase|session_token)\w*(?:=|%3D|%3A|:(?=\S)))[^&;,\s'\"]+", re.IGNORECASE)
#: Where a table is written out as Python or JSON write it.
_ENTRY = re.compile(
    r"""((['"])\w*(?:password|passphrase|session_token)\w*\2\s*[:=]\s*)(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""",
    re.IGNORECASE,
)
#: Shorter ones would be found in every text by chance.
_SHORTEST_OWN, _SHORTEST = 4, 8

_lock = threading.RLock()
_taken: dict[str, str] = {}
_holders: Counter[str] = Counter()
_known: set[str] = set()


def is_secret(name: str, value: str = "") -> bool:
    """Whether an environment variable holds a password or token.

    Parameters
    ----------
    name
        Its name.
    value
        Its value: an address with a login is secret whatever the name.
    """
    if name in OWN:
        return True
    if "://" in value and (_LOGIN.search(value) or _TELLS.search(value)):
        return True
    if _OF_JOBS.match(name):
        return False
    words = re.split(r"[_\W]+", name.upper())
    paired = words[-1] == "PWD" and len(words) > 1 and words[0] in ("MYSQL", "DB", "MONGO", "REDIS", "SQL")
    return bool(_ANYWHERE.search(name)) or not _WORDS.isdisjoint(words) or paired


def is_own(name: str, value: str = "") -> bool:
    """Whether an environment variable is a secret that only this program reads."""
    return name in OWN


def environment_without_secrets() -> dict[str, str]:
    """Return this process's environment for a program that is started from here."""
    return {name: value for name, value in os.environ.items() if not is_secret(name, value)}


def own_secrets() -> dict[str, str]:
    """Return our own secrets, for a child that is this very program."""
    return {name: value for name in sorted(OWN) if (value := value_of(name))}


def value_of(name: str) -> str | None:
    """Return a secret from the environment, or what was taken out of it; None where there is none."""
    return os.environ.get(name) or _taken.get(name) or None


def take(chosen: Callable[[str, str], bool] = is_secret) -> list[str]:
    """Take secrets out of the environment, so that no program started from here inherits them.

    They stay known to `value_of` and `scrub`.

    Parameters
    ----------
    chosen
        Is asked name and value of each variable.

    Returns
    -------
    list of str
        Names of what is kept away now, for `give_back`.
    """
    with _lock:
        names = [name for name, value in {**_taken, **os.environ}.items() if chosen(name, value)]
        for name in names:
            _holders[name] += 1
            if name in os.environ:
                _taken[name] = os.environ.pop(name)
    return names


def give_back(names: list[str]) -> None:
    """Put secrets back into the environment unless somebody else still keeps them away."""
    with _lock:
        for name in names:
            _holders[name] -= 1
            if _holders[name] <= 0:
                value = _taken.pop(name, None)
                if value is not None:
                    os.environ.setdefault(name, value)


@contextmanager
def away(chosen: Callable[[str, str], bool] = is_secret) -> Iterator[None]:
    """Keep secrets out of the environment for a while; several threads may do so at a time."""
    names = take(chosen)
    try:
        yield
    finally:
        give_back(names)


def remember(secret: str | None) -> None:
    """Note a secret that came from elsewhere than the environment, for `scrub`."""
    if secret:
        _known.add(secret)


def scrub(text: str) -> str:
    """Return a text without logins in addresses and without any secret that is known here, however it is spelt."""
    for secret in sorted(_to_hide(), key=len, reverse=True):
        forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
        forms |= {json.dumps(secret)[1:-1], repr(secret)[1:-1], secret.replace("/", "\\/")}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
    text = _MONGODB.sub(rf"\1{HIDDEN}@", text)
    text = _URL.sub(rf"\1{HIDDEN}@", text)
    text = _BARE.sub(rf"\1{HIDDEN}@", text)
    text = _ENTRY.sub(rf"\1'{HIDDEN}'", text)
    return _OPTION.sub(rf"\1{HIDDEN}", text)


def _to_hide() -> set[str]:
    with _lock:
        found = {secret for secret in _known if len(secret) >= _SHORTEST_OWN}
        for name, value in {**_taken, **os.environ}.items():
            shortest = _SHORTEST_OWN if name in OWN else _SHORTEST
            if len(value) >= shortest and not value.startswith(("/", "~")) and is_secret(name, value):
                found.add(value)
    return found
