"""Who answers: which model plays which arm for the suites of which role."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.cases import Arm, Role
from pytest_ftgate.errors import ConfigError, FileError

if TYPE_CHECKING:
    from pytest_ftgate.cases import EvalCase
    from pytest_ftgate.files.config_file import ConfigFile
    from pytest_ftgate.models import Model, Request
    from pytest_ftgate.models.redaction import Redactor
    from pytest_ftgate.plugin.settings import Settings


class Arms:
    """The specs of both arms by role, and their models, made when first needed; owned by `FtgateSession`.

    No model leaves here but behind a `SafeModel`.
    """

    def __init__(self, config: pytest.Config, settings: Settings, config_file: ConfigFile) -> None:
        self._config = config
        self._config_file = config_file
        given = {Arm.MODEL: settings.model, Arm.BASELINE: settings.baseline}
        default = {Arm.MODEL: config_file.model, Arm.BASELINE: config_file.baseline}
        #: Models that conftests put in an arm's place, each made once.
        self.replacements: dict[tuple[Arm, str | int], Model] = {}
        #: Those that no project's own hook made: saved answers are read once.
        self._built: dict[tuple[Arm, str], Model] = {}
        #: Command line and ini before `roles:`, that before the entries `model:` and `baseline:`.
        self.specs: dict[Role, dict[Arm, str]] = {
            role: {
                arm: spec
                for arm in Arm
                if (spec := given[arm] or config_file.roles.get(role, {}).get(arm) or default[arm])
            }
            for role in Role
        }

        self._asked = {
            role: tuple(arm for arm in Arm if arm in specs) if Arm.MODEL in specs else ()
            for role, specs in self.specs.items()
        }

    @property
    def has_model(self) -> bool:
        """Whether there is a model to judge; without one nothing is sent."""
        return any(Arm.MODEL in specs for specs in self.specs.values())

    def has(self, arm: Arm) -> bool:
        """Whether this run has the arm, for whatever role."""
        return self.has_model and bool(self._roles_with(arm))

    def of(self, case: EvalCase) -> tuple[Arm, ...]:
        """The arms that are asked this case; none without a model."""
        return self._asked[case.role]

    def model_of(self, request: Request) -> Model:
        """The model that answers a request: its own, or that of its arm and role."""
        return request.model or self.models[request.arm, self.specs[request.case.role][request.arm]]

    @cached_property
    def models(self) -> dict[tuple[Arm, str], Model]:
        """All models by arm and spec, the hook's first; raises UsageError."""
        try:
            return {(arm, spec): self._make(arm, spec) for arm, spec in self._distinct()}
        except (FileError, ConfigError) as error:
            raise pytest.UsageError(self.redact(str(error))) from None

    @cached_property
    def redact(self) -> Redactor:
        """The one of this run: it knows every secret that this process can know."""
        from pytest_ftgate.models.redaction import Redactor  # noqa: PLC0415  (only where models are made)
        from pytest_ftgate.models.run_secrets import secrets_of  # noqa: PLC0415

        return Redactor(secrets_of(self._config_file, os.environ))

    def made(self, arm: Arm, model: object) -> Model:
        """What a conftest puts in an arm's place: a spec, a function, or a model; raises ConfigError."""
        from pytest_ftgate.models.functions.python_function import as_model  # noqa: PLC0415

        name = model if isinstance(model, str) else getattr(model, "__qualname__", type(model).__name__)
        key = arm, model if isinstance(model, str) else id(model)
        if key not in self.replacements:
            made = self._make(arm, model) if isinstance(model, str) else self._safe(as_model(model, name))
            self.replacements[key] = made
        return self.replacements[key]

    def forget_models(self) -> None:
        """Drops all models, and the saved answers that they play: nothing is asked any more."""
        self.__dict__.pop("models", None)
        self._built.clear()

    def means_default(self, by: str, role: str) -> bool:
        """Whether a check that names its grader so means the run's own: the role, and no entry's name."""
        return by == role and by not in self._config_file.models

    def grader(self, role: str, spec: str) -> Model:
        """The judge or the embeddings of this name; raises `ConfigError` and `FileError`."""
        from pytest_ftgate.models.functions.python_function import as_model  # noqa: PLC0415
        from pytest_ftgate.models.make import make_grader  # noqa: PLC0415  (only where answers are generated)

        made = self._config.hook.pytest_ftgate_make_model(config=self._config, spec=spec)
        if made is not None:
            return self._safe(as_model(made, spec))
        environ: Mapping[str, str] = os.environ
        rootdir = self._config.rootpath
        return self._safe(make_grader(spec, role, self._config_file, rootdir=rootdir, environ=environ))

    def missing(self, requests: Sequence[Request]) -> list[str]:
        """What the models can't answer although it will be asked, all of it."""
        by_model: dict[int, list[Request]] = {}
        for request in requests:
            by_model.setdefault(id(self.model_of(request)), []).append(request)
        return [line for model in self.models.values() for line in model.missing(by_model.get(id(model), []))]

    def remarks(self) -> list[str]:
        """What the models have to say of the run, for the verdict."""
        made = self.__dict__.get("models", {})  # not for the sake of remarks: making a model may need a key
        models = (*made.values(), *self.replacements.values())
        return [line for model in models for line in model.remarks()]

    def delays(self) -> list[dict[str, Any]]:
        """What endpoints made all requests wait for, a row each."""
        from pytest_ftgate.models.endpoints.delays import delays_of  # noqa: PLC0415  (where models are made)

        models = (*self.__dict__.get("models", {}).values(), *self.replacements.values())
        rows = (delays.row() for model in models if (delays := delays_of(model)) is not None)
        return [row for row in rows if row is not None]

    def describe(self) -> dict[str, dict[str, Any]]:
        """Each arm's name, kind, host and revision; another model for a role stands under `roles`."""
        return {arm.value: self._describe(arm) for arm in Arm if self._roles_with(arm)}

    def header(self) -> str:
        """Who is compared, and where they answer, as far as it is known before collection."""
        return ", ".join(self._headline(arm, spec) for arm, spec in self._distinct())

    def _describe(self, arm: Arm) -> dict[str, Any]:
        about = {role: self.models[arm, self.specs[role][arm]].describe() for role in self._roles_with(arm)}
        main = next(iter(about.values()))
        different = {role.value: each for role, each in about.items() if each != main}
        return main | ({"roles": different} if different else {})

    def _headline(self, arm: Arm, spec: str) -> str:
        try:
            about = self._make(arm, spec).describe()
        except (FileError, ConfigError):  # a conftest further down may know this spec; said in full later
            about = {}
        roles = [role for role, specs in self.specs.items() if specs.get(arm) == spec]
        only = f" for {roles[0]}" if len(roles) < len(Role) else ""
        host = about.get("host") or about.get("kind")
        return f"{arm}{only} {spec}" + (f" ({host})" if host else "")

    def _distinct(self) -> list[tuple[Arm, str]]:
        return list(
            dict.fromkeys((arm, self.specs[role][arm]) for arm in Arm for role in self._roles_with(arm))
        )

    def _roles_with(self, arm: Arm) -> list[Role]:
        return [role for role, specs in self.specs.items() if arm in specs]

    def _make(self, arm: Arm, spec: str) -> Model:
        from pytest_ftgate.models.functions.python_function import as_model  # noqa: PLC0415
        from pytest_ftgate.models.make import make_model  # noqa: PLC0415  (only where answers are generated)

        made = self._config.hook.pytest_ftgate_make_model(config=self._config, spec=spec)
        if made is not None:
            return self._safe(as_model(made, spec))
        if (arm, spec) not in self._built:
            environ: Mapping[str, str] = os.environ
            rootdir = self._config.rootpath
            built = make_model(spec, arm, self._config_file, rootdir=rootdir, environ=environ)
            self._built[arm, spec] = self._safe(built)
        return self._built[arm, spec]

    def _safe(self, model: Model) -> Model:
        from pytest_ftgate.models.safe_model import safe_model  # noqa: PLC0415

        return safe_model(model, self.redact)
