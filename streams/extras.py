"""Libraries that not every installation has."""

from importlib.util import find_spec

from detectors.errors import ConfigurationError


def require(what: str, extra: str, *packages: str) -> None:
    """Raise ConfigurationError, saying what brings it, where a package that `what` needs is absent.

    Called before anything is done, so that no long work is lost.
    """
    for package in packages:
        if find_spec(package) is None:
            raise ConfigurationError(
                f"{what} needs {package}: pip install 'nightlatch[{extra}]' brings it"
            )
