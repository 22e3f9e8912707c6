"""A new entry in `harness.yaml`; what people wrote there stays as it is, comments too."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from harness.candidates.workspace import FILE_NAME, Entry, Workspace
from harness.errors import InputError


def register(name: str, entry: Entry, workspace: Workspace) -> Path:
    """Write `candidates.NAME` into the workspace's file, which is made where there is none.

    Args:
        entry: its paths are relative to the file's folder.

    Raises:
        InputError: the file cannot be written.
    """
    from ruamel.yaml import YAML

    path = workspace.file or workspace.here / FILE_NAME
    yaml = YAML()  # keeps comments, order and quotes
    yaml.preserve_quotes = True
    yaml.width = 4096
    content: Any = yaml.load(path.read_text(encoding="utf-8")) if path.is_file() else None
    content = {} if content is None else content
    if content.get("candidates") is None:
        content["candidates"] = {}
    content["candidates"][name] = entry.model_dump(mode="json", exclude_defaults=True)
    text = io.StringIO()
    yaml.dump(content, text)
    made = path.with_name(f".{path.name}.new")
    try:
        made.write_text(text.getvalue(), encoding="utf-8")
        os.replace(made, path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None
    return path
