"""A hub on this machine: what Hugging Face's and ModelScope's own clients ask of theirs, answered from memory.

Both clients read their endpoints, caches and switches when they are imported: `LocalHub.run` starts a process for them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.gold.importers.commands import Done, run

_HF_INFO = re.compile(r"/api/datasets/([^/]+/[^/]+)(?:/revision/([^/]+))?")
_HF_TREE = re.compile(r"/api/datasets/([^/]+/[^/]+)/tree/([^/]+)")
_HF_FILE = re.compile(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_MS_TREE = re.compile(r"/api/v1/datasets/([^/]+/[^/]+)/repo/tree")
_MS_MODEL = re.compile(r"/api/v1/models/([^/]+/[^/]+)/repo(/files)?")
_MS_FILE = re.compile(r"/api/v1/datasets/([^/]+/[^/]+)/repo")


@dataclass
class Dataset:
    """Files by commit, and the commit that each branch is at."""

    commits: dict[str, dict[str, bytes]]
    branches: dict[str, str]
    gated: bool = False

    def commit(self, revision: str) -> str | None:
        """The commit that a revision means."""
        return revision if revision in self.commits else self.branches.get(revision)


@dataclass
class LocalHub:
    """What is served, by ORG/NAME (on ModelScope as models too), and where the clients keep what they got."""

    home: Path
    datasets: dict[str, Dataset] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """From now on nobody answers at this hub's address."""
        self._server.shutdown()
        self._server.server_close()

    def run(self, *commands: list[str], **environment: str) -> list[Done]:
        """Each `harness` command, one after the other in one process whose clients know this hub only."""
        # TRANSFORMERS_OFFLINE, which an engine sets in its process, takes the hub's client offline too.
        owners = ("HF_", "HUGGINGFACE_", "MODELSCOPE_", "TRANSFORMERS_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(owners)}
        address = f"http://127.0.0.1:{self._port}"
        kept |= {"HF_ENDPOINT": address, "HF_HOME": str(self.home / "hf"), "NO_PROXY": "127.0.0.1"}
        kept["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        kept |= {"MODELSCOPE_ENDPOINT": address, "MODELSCOPE_CACHE": str(self.home / "ms")}
        kept |= {"MODELSCOPE_HOME": str(self.home / "ms-home"), "MODELSCOPE_REPO_TREE_PAGE_MAX_ATTEMPTS": "1"}
        return run(commands, self.home, kept | environment)


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path), {key: values[0] for key, values in parse_qs(url.query).items()}
        self.hub.asked.append(path)
        if found := _HF_INFO.fullmatch(path):
            self._hf_info(found[1], found[2] or "main")
        elif found := _HF_TREE.fullmatch(path):
            self._hf_tree(found[1], found[2])
        elif found := _HF_FILE.fullmatch(path):
            self._hf_file(*found.groups())
        elif found := _MS_TREE.fullmatch(path):
            self._ms_tree(found[1], query["Revision"])
        elif found := _MS_MODEL.fullmatch(path):
            revision = query.get("Revision", "master")
            if found[2]:
                self._ms_tree(found[1], revision)
            else:
                self._ms_file(found[1], revision, query["FilePath"])
        elif found := _MS_FILE.fullmatch(path):
            self._ms_file(found[1], query["Revision"], query["FilePath"])
        else:
            self._answer(404, b"{}")

    # Hugging Face

    def _hf_files(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit and its files; None when an error has been sent."""
        dataset = self.hub.datasets.get(name)
        if dataset is None:
            self._answer(401, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return None
        commit = dataset.commit(revision)
        if commit is None:
            self._answer(404, b'{"error": "Invalid rev id"}', {"X-Error-Code": "RevisionNotFound"})
            return None
        return commit, dataset.commits[commit]

    def _hf_info(self, name: str, revision: str) -> None:
        """Also of a gated data set: what it holds is no secret, only the files are."""
        if found := self._hf_files(name, revision):
            commit, files = found
            gated = "auto" if self.hub.datasets[name].gated else False
            siblings = [{"rfilename": file} for file in files]
            self._json({"id": name, "sha": commit, "gated": gated, "private": False, "siblings": siblings, "tags": []})

    def _hf_tree(self, name: str, revision: str) -> None:
        if found := self._hf_files(name, revision):
            files = found[1].items()
            self._json(
                [
                    {"type": "file", "path": file, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                    for file, data in files
                ]
            )

    def _hf_file(self, name: str, revision: str, file: str) -> None:
        if not (found := self._hf_files(name, revision)):
            return
        commit, files = found
        if self.hub.datasets[name].gated:
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Repo-Commit": commit})
        elif file not in files:
            self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        else:
            etag = f'"{hashlib.sha1(files[file]).hexdigest()}"'
            self._answer(200, files[file], {"ETag": etag, "X-Repo-Commit": commit})

    # ModelScope

    def _ms_files(self, name: str, revision: str) -> dict[str, bytes] | None:
        dataset = self.hub.datasets.get(name)
        commit = dataset.commit(revision) if dataset else None
        if dataset is None or commit is None:
            self._answer(404, b'{"Code": 10010205001, "Message": "not found", "Success": false}')
            return None
        if dataset.gated:
            self._answer(403, b'{"Code": 10010205002, "Message": "access denied", "Success": false}')
            return None
        return dataset.commits[commit]

    def _ms_tree(self, name: str, revision: str) -> None:
        files = self._ms_files(name, revision)
        if files is not None:
            folders = {str(parent) for file in files for parent in Path(file).parents} - {"."}
            listed = [{"Path": folder, "Type": "tree", "Size": 0, "Sha256": ""} for folder in sorted(folders)]
            listed += [
                {"Path": file, "Type": "blob", "Size": len(data), "Sha256": hashlib.sha256(data).hexdigest()}
                for file, data in files.items()
            ]
            self._json({"Code": 200, "Success": True, "Data": {"Files": listed}})

    def _ms_file(self, name: str, revision: str, file: str) -> None:
        files = self._ms_files(name, revision)
        if files is not None:
            self._answer(200, files[file])

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
