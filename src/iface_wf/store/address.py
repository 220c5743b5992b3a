"""MongoDB addresses taken apart, so that no later message, name or description can show a password."""

from __future__ import annotations

import difflib
import re
import warnings
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_plus, urlsplit

from pymongo.common import URI_OPTIONS_VALIDATOR_MAP
from pymongo.errors import ConfigurationError
from pymongo.uri_parser import split_hosts

from iface_wf.errors import InputError, NoticeWarning
from iface_wf.secrets import remember, scrub, value_of

SCHEMES = ("mongodb", "mongodb+srv")
DEFAULT_DATABASE = "iface_wf"
TIMEOUT_SECONDS = 3
"""How long to look for a server before giving up."""

#: Ways to log in that know no database of accounts, or none but their own.
_OTHER_ACCOUNTS = ("MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC", "GSSAPI", "PLAIN")
_WITHOUT_PASSWORD = ("MONGODB-X509", "MONGODB-OIDC", "GSSAPI")
#: Options that may stand several times in an address, each for one more choice.
_REPEATABLE = ("readpreferencetags",)
_UNREADABLE = "The MongoDB address cannot be read"
_EXAMPLE = "write mongodb://user@host:27017/database"


class Secret(str):
    """A password that does not show in the repr of what holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'"


class Address(NamedTuple):
    """A MongoDB address taken apart.

    Attributes
    ----------
    uri
        Scheme, hosts, database and options as they were given, without any login or other secret.
    hosts
        For messages.
    database
        Name of the database.
    options
        Login and time limits, for :class:`pymongo.MongoClient`.
    secrets
        What was secret in the address itself: ``password``, names of options.
    """

    uri: str
    hosts: str
    database: str
    options: dict[str, Any]
    secrets: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Scheme, user, hosts and database, for messages."""
        user = self.options.get("username")
        login = f"{quote(str(user), safe='')}@" if user else ""
        return f"{self.uri.partition('://')[0]}://{login}{self.hosts}/{self.database}"


def parse_address(uri: str, password: str | None = None) -> Address:
    """Take a MongoDB address apart.

    Parameters
    ----------
    uri
        ``mongodb://[user[:password]@]host[:port][,...][/database][?options]``, or ``mongodb+srv://...``. The options are
        separated by ``&`` or ``;``, and what they say counts before any default of ours.
    password
        Used if the address names a user without password.

    Raises
    ------
    InputError
        If the address cannot be read; the text shows nothing of it but names of options.
    """
    scheme, login, hosts, path, query = _parts(uri)
    user, _, own_password = login.partition(":")
    if own_password and not user:  # the password would count as part of the address
        raise InputError(f"{_UNREADABLE}: it has a password, but no user name; {_EXAMPLE}.")
    given, visible, options = _options(query)
    secrets = list(options)
    for name in ("serverSelectionTimeoutMS", "connectTimeoutMS"):
        if name.lower() not in given:
            options[name] = 1000 * TIMEOUT_SECONDS
    mechanism = given.get("authmechanism", "").upper()
    if user:
        options["username"] = unquote_plus(user)
        secrets += ["password"] * bool(own_password)
        kept = None if mechanism in _WITHOUT_PASSWORD else password
        if secret := unquote_plus(own_password) or kept:
            options["password"] = Secret(secret)
        # hosted servers name the database of their accounts in the record that mongodb+srv looks up
        if "authsource" not in given and scheme == "mongodb" and mechanism not in _OTHER_ACCOUNTS:
            options["authSource"] = path or "admin"
    options |= _from_environment(given, mechanism, user)
    for value in options.values():
        if isinstance(value, Secret):
            remember(value)
    rest = "&".join(visible)
    address = f"{scheme}://{hosts}{f'/{quote(path)}' * bool(path)}{('?' if path else '/?') * bool(rest)}{rest}"
    return Address(address, hosts, path or DEFAULT_DATABASE, options, tuple(secrets))


def _parts(uri: str) -> tuple[str, str, str, str, str]:
    """Return scheme, login, hosts, database and options of an address."""
    if any(ord(character) < 32 or ord(character) == 127 for character in uri):
        raise InputError(f"{_UNREADABLE}: it holds a line break or another control character.")
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise InputError(f"{_UNREADABLE}: {_EXAMPLE}.") from None
    if not parts.netloc:
        raise InputError(f"The MongoDB address names no server: {_EXAMPLE}.")
    login, _, hosts = parts.netloc.rpartition("@")
    if not hosts or parts.fragment or "@" in parts.path + parts.query or "#" in uri:
        raise InputError(
            f"{_UNREADABLE}: characters such as / ? # @ in a user name or password must be written percent-encoded, for "
            "example %2F."
        )
    try:
        split_hosts(hosts)
    except (ValueError, ConfigurationError):  # their texts repeat what may be half of a password
        raise InputError(
            f"{_UNREADABLE}: after a host's name stands a port, a number up to 65535, and before it user@; {_EXAMPLE}."
        ) from None
    path = unquote_plus(parts.path.removeprefix("/").removesuffix("/"))
    if re.search(r'[/\\. "$]', path) or len(path.encode()) > 63:
        raise InputError(
            "The MongoDB address names a database that MongoDB does not allow: use letters, digits, - and _."
        )
    return parts.scheme, login, hosts, path, parts.query


def _options(query: str) -> tuple[dict[str, str], list[str], dict[str, Any]]:
    """Return all options of an address by their names in small letters, those that may be seen as written, and the secret."""
    if "&" in query and ";" in query:
        raise InputError(f"{_UNREADABLE}: its options are separated either by & or by ;, not by both.")
    given: dict[str, str] = {}
    visible: list[str] = []
    unknown: list[str] = []
    hidden: dict[str, Any] = {}
    for entry in re.split("[&;]", query) if query else []:
        name, separator, raw = entry.partition("=")
        if not separator or not name or not raw:
            raise InputError(f"{_UNREADABLE}: an option behind the ? is not of the form name=value.")
        # pymongo itself takes this one apart before it is decoded
        value = raw if name.lower() == "authmechanismproperties" else unquote_plus(raw)
        secret = "password" in name.lower() or "AWS_SESSION_TOKEN" in unquote_plus(raw).upper()
        if name.lower() in given and name.lower() not in _REPEATABLE:
            raise InputError(f"The MongoDB address has the option {name[:40]!r} twice.")
        known = _check_option(name, value, secret)
        given[name.lower()] = value
        if secret:
            hidden[name] = Secret(value)
        elif known:  # of the others pymongo would warn each time that it reads the address
            visible.append(entry)
        else:
            unknown.append(repr(name[:40]))
    if unknown:
        names = ", ".join(unknown)
        warnings.warn(
            NoticeWarning(f"Of the MongoDB address pymongo does not know {names}: this has no effect."), stacklevel=2
        )
    return given, visible, hidden


def _check_option(name: str, value: str, secret: bool) -> bool:
    """Refuse an option that pymongo would leave out with a warning, for example tls=yes, which would mean no TLS.

    Returns
    -------
    bool
        False for the option of another driver, which has no effect.
    """
    validator = URI_OPTIONS_VALIDATOR_MAP.get(name.lower())
    if validator is None:
        if secret:
            raise InputError(f"The MongoDB address has an option that pymongo does not know: {name[:40]!r}.")
        if near := difflib.get_close_matches(name.lower(), URI_OPTIONS_VALIDATOR_MAP, n=1, cutoff=0.65):
            raise InputError(f"Unknown option {name[:40]!r} of the MongoDB address: did you mean {near[0]}?")
        return False
    try:
        validator(name, [value] if name.lower() == "readpreferencetags" else value)
    except (ValueError, TypeError, ConfigurationError, OSError) as error:
        why = "" if secret else f": {scrub(str(error)).rstrip('.')}"
        raise InputError(f"The option {name} of the MongoDB address cannot be used{why}.") from None
    return True


def _from_environment(given: dict[str, str], mechanism: str, user: str) -> dict[str, Any]:
    """Return the secrets of options that an address leaves to the environment."""
    found: dict[str, Any] = {}
    key_password = value_of("IFACE_WF_MONGO_TLS_KEY_PASSWORD")
    key_file = given.get("tlscertificatekeyfile")
    if key_file and "tlscertificatekeyfilepassword" not in given and b"ENCRYPTED" in Path(key_file).read_bytes():
        if not key_password:  # the library would ask for it on the terminal, and wait
            raise InputError(
                "The key in tlsCertificateKeyFile of the MongoDB address wants a password: export it as "
                "IFACE_WF_MONGO_TLS_KEY_PASSWORD."
            )
        found["tlsCertificateKeyFilePassword"] = Secret(key_password)
    token = value_of("AWS_SESSION_TOKEN")
    if token and mechanism == "MONGODB-AWS" and user and "authmechanismproperties" not in given:
        found["authMechanismProperties"] = Secret(f"AWS_SESSION_TOKEN:{quote(token)}")
    return found
