"""Which environment variables a worker or check is given, and which hold secrets. Standard library only."""

from __future__ import annotations

from .masking import Masker, forms_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Who and where one is, how to find programs and certificates, how to speak. Nothing that opens a door:
# no SSH_AUTH_SOCK (a worker could push as you), no *_TOKEN, no MAKEFLAGS (descriptors of a make around us).
DEFAULT_ALLOW = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_*", "XDG_*"),
    *("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "CI"),
    *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHON*", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH"),
    *("JAVA_HOME", "GOPATH", "GOROOT", "GOCACHE", "CARGO_HOME", "RUSTUP_HOME", "NVM_DIR", "NODE_PATH", "NODE_OPTIONS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "SOURCE_DATE_EPOCH"),
)
SECRET_NAMES = (
    *("*TOKEN", "*TOKENS", "*SECRET*", "*PASSWORD*", "*PASSWD", "*PASSPHRASE*", "*API_KEY*", "*APIKEY"),
    *("*ACCESS_KEY", "*PRIVATE_KEY*", "*CREDENTIALS"),
)
OWN = "WAYPOST_"
# Shorter values are words: hiding every "true" or "8080" would hide the log.
_LEAST_NAMED, _LEAST_GUESSED = 4, 12


def chosen(environ: Mapping[str, str], allow: Iterable[str]) -> dict[str, str]:
    """The variables that may be passed on. Ours never are: they belong to one attempt."""
    exact = set(allow)
    wide = [pattern for pattern in exact if "*" in pattern]
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(OWN) and (name in exact or is_named(name, wide))
    }


def masker_for(environ: Mapping[str, str], secret: Iterable[str]) -> Masker:
    """Hides the values of the variables that are named, and of those whose name says that they are secret."""
    named, forms = tuple(secret), list[bytes]()
    for name, value in environ.items():
        if len(value) < _LEAST_NAMED:
            continue
        # A path to a file of secrets is no secret, and stands in every log.
        guessable = len(value) >= _LEAST_GUESSED and not value.startswith("/")
        if is_named(name, named) or (guessable and is_named(name.upper(), SECRET_NAMES)):
            forms += forms_of(value)
    return Masker(forms)


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """True where a pattern is the name; `*` at either end of a pattern stands for anything."""
    for pattern in patterns:
        core = pattern.strip("*")
        before, after = pattern.startswith("*"), pattern.endswith("*")
        if before and after:
            hit = core in name
        elif after:
            hit = name.startswith(core)
        elif before:
            hit = name.endswith(core)
        else:
            hit = name == pattern
        if hit:
            return True
    return False
