"""The codec without the help of C code that is only fast."""

import sys

from statewatch.documents import codec
from statewatch.documents.values import JSON


def strictly(text: bytes) -> JSON:
    """Decode with the standard library alone."""
    loaded = sys.modules.pop("orjson")
    try:
        return codec.decode(text)
    finally:
        sys.modules["orjson"] = loaded
