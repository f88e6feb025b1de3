"""A chat model by its name."""

from __future__ import annotations

import importlib
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from ....state.errors import WaypostError
from .scripted_model import ScriptedChatModel
from .worker import SCRIPTED


class NoModel(WaypostError):
    """The model that was configured cannot be had."""


def load_model(name: str, *, attempt: int) -> BaseChatModel:
    """`scripted:FILE`, or whatever LangChain's `init_chat_model` makes of the name.

    Raises:
        NoModel: the package langchain, or that of the provider, is missing, or does not know the name.
    """
    if name.startswith(SCRIPTED):
        return ScriptedChatModel.read(Path(name.removeprefix(SCRIPTED)), attempt=attempt)
    try:
        found = importlib.import_module("langchain.chat_models").init_chat_model(name)
    except (ImportError, ValueError) as error:
        raise NoModel(
            f'the model "{name}" cannot be had: {error}',
            next_step='pip install "waypost[llm]", and the package of its provider, such as langchain-openai',
        ) from None
    if not isinstance(found, BaseChatModel):
        raise NoModel(f'"{name}" is no chat model')
    return found
