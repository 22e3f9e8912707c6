"""Models from Hugging Face and ModelScope, through their own clients and caches."""

from __future__ import annotations

from pathlib import Path

from harness.errors import InputError
from harness.gold.hub import quiet_modelscope

#: What a reference to a hub begins with.
HUBS = ("hf:", "ms:")


def download(reference: str, *, only: tuple[str, ...] | None = None) -> Path:
    """The local directory of `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]`, from the cache when offline.

    Honours `HF_ENDPOINT` (a mirror), `HF_HUB_OFFLINE` and the cache folders of both clients.

    Args:
        only: files to fetch instead of all; what is cached already stands beside them.

    Raises:
        InputError: the client is not installed, or the model can be neither found in the cache nor downloaded.
    """
    hub, _, rest = reference.partition(":")
    name, _, revision = rest.partition("@")
    if name.count("/") != 1:
        raise InputError(f"{reference!r} is not a model reference", remedy=f"Write {hub}:ORG/NAME[@REV].")
    try:
        if hub == "hf":
            from huggingface_hub import snapshot_download

            wanted = list(only) if only else None
            pickles = ["*.bin", "*.pt", "*.gguf"]
            return Path(
                snapshot_download(name, revision=revision or None, allow_patterns=wanted, ignore_patterns=pickles)
            )
        return _modelscope(name, revision or None, only)
    except ImportError as error:
        raise InputError(f"{reference!r} needs {error.name}", remedy="pip install 'finetune-harness[hub]'.") from None
    except Exception as error:  # the clients raise many kinds: HTTP, cache, validation
        raise InputError(
            f"{reference!r} cannot be downloaded ({type(error).__name__}: {' '.join(str(error).split())[:160]})",
            remedy="Check the name and the network, set HF_ENDPOINT to a mirror, or give a local directory.",
        ) from None


def _modelscope(name: str, revision: str | None, only: tuple[str, ...] | None) -> Path:
    """From ModelScope, or from its cache where there is no connection or `HF_HUB_OFFLINE` is set.

    ModelScope's client has no such switch and does not look into its cache by itself, as Hugging Face's does.
    """
    from huggingface_hub import is_offline_mode
    from modelscope.hub.snapshot_download import snapshot_download
    from modelscope_hub.errors import AuthenticationError, NotExistError, PermissionDeniedError

    quiet_modelscope()

    def fetch(*, cached: bool) -> Path:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=list(only) if only else None,
                ignore_file_pattern=["*.bin", "*.pt", "*.gguf"],
                local_files_only=cached,
            )
        )

    if is_offline_mode():
        return fetch(cached=True)
    try:
        return fetch(cached=False)
    except (AuthenticationError, NotExistError, PermissionDeniedError):
        raise
    except Exception as error:  # no connection, a mirror's fault
        try:
            return fetch(cached=True)
        except Exception:
            raise error from None
