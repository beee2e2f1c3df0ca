"""What the commands of `ftgate batch` need of the project: its endpoints, as `ftgate.yaml` has them now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftgate.errors import BatchError, ConfigError, FtgateError

if TYPE_CHECKING:
    from pytest_ftgate.files.config_file import ConfigFile
    from pytest_ftgate.models.batches.joining import AnswerReader
    from pytest_ftgate.models.batches.state import Asked, State
    from pytest_ftgate.models.endpoints.settings import EndpointSettings


class Project:
    """The endpoints of a state's arms; keys come from the environment, as in a run.

    Raises `ConfigError` for what is wrong with them, `BatchError` for one that is another than was asked.
    """

    def __init__(self, state: State) -> None:
        self._config = _config_of(state)
        self.endpoints: dict[tuple[str, str], EndpointSettings] = {
            (asked.arm, asked.spec): self._endpoint(asked) for asked in state.asked
        }

    def reader(self, arm: str, spec: str) -> AnswerReader:
        """Who reads the answers of an arm; it knows every secret that this process can know."""
        from pytest_ftgate.models.batches.joining import AnswerReader  # noqa: PLC0415
        from pytest_ftgate.models.redaction import Redactor  # noqa: PLC0415
        from pytest_ftgate.models.run_secrets import secrets_of  # noqa: PLC0415

        redact = Redactor(secrets_of(self._config, os.environ))
        return AnswerReader(self.endpoints[arm, spec], redact)

    def _endpoint(self, asked: Asked) -> EndpointSettings:
        from pytest_ftgate.models.make import endpoint_settings  # noqa: PLC0415

        settings = endpoint_settings(asked.spec, self._config, os.environ)
        now = "no endpoint" if settings is None else who(settings)
        if settings is None or now != asked.who:
            raise BatchError(
                f"{asked.arm} {asked.spec} is now {now}; its batches were submitted to {asked.who}. "
                "Put it back, or call this in the folder in which you submitted them"
            )
        return settings


def who(settings: EndpointSettings) -> str:
    """Which model, where, by which API: what must not change while a batch is on its way."""
    api = "" if settings.api == "chat" else f" ({settings.api})"
    return f"{settings.deployment or settings.model} at {settings.host}{api}"


def _config_of(state: State) -> ConfigFile:
    from pytest_ftgate.files.config_file import read_config  # noqa: PLC0415  (imports yaml)

    path = Path(state.config).absolute() if state.config else None
    rootdir = Path(state.rootdir).absolute()
    if path is not None and not path.is_file():
        raise ConfigError(
            f"{state.config} is not here: call this in the folder in which you called `ftgate batch submit`"
        )
    try:
        return read_config(path, Path(os.path.normpath(rootdir)))
    except FtgateError:  # a threshold may be in the unit of a metric that only the project knows
        from pytest_ftgate.plugin.extensions import metrics_of_project  # noqa: PLC0415  (imports pytest)

        return read_config(path, Path(os.path.normpath(rootdir)), metrics_of_project())
