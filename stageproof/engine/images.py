"""The images of an engine, as `stageproof.image` reads them: described one by one, saved all in one request."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import docker.errors
import requests.exceptions

from stageproof.engine import client, find, private
from stageproof.engine.home import Home, default_home
from stageproof.errors import EngineDiedError, EngineError, ImageError

SAVE_SECONDS = 600
"""How long an engine may be silent before a save: it may put the whole archive together first."""
_CHUNK = 2**20
_REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)


class Images:
    """What reading needs of an engine."""

    def __init__(self, opened: docker.DockerClient) -> None:
        self._client = opened

    def describe(self, name: str) -> Mapping[str, Any]:
        """Give the engine's inspect of an image. Raises ImageError if it has none of that name, or an EngineError."""
        try:
            return dict(self._client.images.get(name).attrs)
        except docker.errors.APIError as error:
            if error.status_code in _REFUSED:
                raise _absent(name, error) from error
            raise _refused(error) from error
        except requests.exceptions.RequestException as error:
            raise _gone(error) from error

    def save(self, names: list[str]) -> Iterator[bytes]:
        """Give one save of all these images, in pieces. Raises ImageError or an EngineError."""
        # The SDK's own save takes one name only; one request for all sends shared layers once.
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/images/get"
        try:
            with api.get(url, params={"names": names}, stream=True, timeout=SAVE_SECONDS) as response:
                if response.status_code in _REFUSED:
                    raise _absent(", ".join(names), response.text)
                response.raise_for_status()
                yield from response.iter_content(_CHUNK)
        except requests.exceptions.HTTPError as error:
            raise _refused(error) from error
        except requests.exceptions.RequestException as error:
            raise _gone(error) from error


def reach(
    progress: Callable[[str], None] = private.quiet,
    home: Home | None = None,
    environment: Mapping[str, str] = os.environ,
) -> docker.DockerClient:
    """Open the engine that holds the user's images; reading needs no buildx, and no engine is made for it.

    A private engine that was made before is started. Raises EngineError where none answers.
    """
    home = home or default_home()
    seen = find.look(find.place(environment))
    if seen.answer is not None:
        at = seen.place
        return client.connect(at.kind, at.host, at.context, client.TIMEOUT_SECONDS, seen.answer.api)
    engine = find.find(home, environment)
    if engine is None and home.root.is_dir():
        engine = private.start(progress, home=home)
    if engine is not None:
        return engine.connect()
    failed = "no engine answers, and an image's name is looked up in one"
    told = f"{seen.place.name}: {seen.problem}; there is no private engine"
    do = "start Docker, or set DOCKER_HOST; or give an archive: docker save IMAGE -o image.tar"
    raise EngineError(failed, seen=told, why="archives and folders are read without an engine", do=do)


def _absent(name: str, error: object) -> ImageError:
    failed = f"the engine has no image {name}"
    seen = str(getattr(error, "explanation", None) or error).strip()
    return ImageError(failed, seen=seen, why="nothing is pulled here", do=f"docker pull {name}, or give an archive")


def _refused(error: Exception) -> EngineError:
    seen = str(getattr(error, "explanation", None) or error)
    return EngineError("the engine did not give the image", seen=seen, why="this says nothing about the image")


def _gone(error: Exception) -> EngineDiedError:
    return EngineDiedError("the engine stopped answering", seen=str(error), why="this says nothing about the image")
