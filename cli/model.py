"""The chat model that a user names; LangChain picks the provider's client."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from langchain_core.language_models import BaseChatModel

from ..state.errors import InputError


def load_model(name: str) -> BaseChatModel:
    """The model that `--model PROVIDER:NAME` names.

    Raises:
        InputError: the extra `llm` or the provider's package is missing, or there is no such model.
    """
    if ":" not in name:
        raise InputError(f'"{name}" is no model', next_step="write --model PROVIDER:NAME")
    try:
        init_chat_model = cast(Any, import_module("langchain.chat_models")).init_chat_model
    except ImportError:
        raise InputError(
            "reading free text needs LangChain", next_step="pip install 'waypost[llm]', and the provider's own package"
        ) from None
    try:
        return cast(BaseChatModel, init_chat_model(name, temperature=0))
    except Exception as error:
        # Providers raise what they like: a missing package, a missing key, an unknown name.
        raise InputError(f'the model "{name}" cannot be used: {error}') from None
