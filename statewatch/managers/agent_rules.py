"""What agents may be called and may say: what goes into file names and state files is looked at first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from statewatch.core.errors import RefusedError

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_WORKFLOW: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MOST_BYTES: Final = 10_000
"""Bytes of a message: it is a summary."""
LAST_ISSUE: Final = 999_999
_MOST_TOOLS: Final = 1_000


def checked_agent(name: object) -> str:
    """Return the name of an agent. Raises RefusedError for what cannot be one."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RefusedError(f"{name!r:.80} cannot be the name of an agent: letters, digits, '-' and '_', 255 at most")
    return name


def checked_workflow(workflow_id: object) -> str:
    """Return the id of a workflow, which becomes a directory. Raises RefusedError for what cannot be one."""
    if not isinstance(workflow_id, str) or not _WORKFLOW.fullmatch(workflow_id) or ".." in workflow_id:
        raise RefusedError(
            f"{workflow_id!r:.80} cannot be the id of a workflow: letters, digits, '_', '-' and '.', 128 at most"
        )
    return workflow_id


def checked_agents(names: object) -> list[str]:
    """Return the names of agents. Raises RefusedError for what is no list of them."""
    return [checked_agent(name) for name in checked_list(names, "the agents")]


def checked_list(names: object, what: str) -> list[object]:
    """Return *names* as a list. Raises RefusedError for what is none, as a single text is."""
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable):
        raise RefusedError(f"{what} are a list, not {type(names).__name__}")
    return list(names)


def checked_message(message: object) -> str:
    """Return what an agent says. Raises RefusedError for what is no text, too long, or acts on a terminal."""
    if not isinstance(message, str):
        raise RefusedError(f"a message is a text, not {type(message).__name__}")
    try:
        size = len(message.encode())
    except UnicodeEncodeError:
        raise RefusedError("a message is a text that UTF-8 can hold, and this one has half a character") from None
    if size > MOST_BYTES:
        raise RefusedError(f"a message has at most {MOST_BYTES:,} bytes, and this one has {size:,}")
    if found := _CONTROL.search(message):
        raise RefusedError(f"a message has no control characters, and this one has U+{ord(found[0]):04X}")
    return message


def checked_tools(tools: object) -> list[str]:
    """Return the tools that an agent used. Raises RefusedError for what is no list of names."""
    if tools is None:
        return []
    if isinstance(tools, str) or not isinstance(tools, Sequence) or len(tools) > _MOST_TOOLS:
        raise RefusedError(f"the tools used are a list of at most {_MOST_TOOLS:,} names")
    return [checked_message(tool) for tool in tools]


def checked_issue(issue: object) -> int | None:
    """Return the number of an issue, or None for none. Raises RefusedError for what cannot be one."""
    if issue is None:
        return None
    if not isinstance(issue, int) or isinstance(issue, bool) or not 1 <= issue <= LAST_ISSUE:
        raise RefusedError(f"{issue!r:.40} is not the number of an issue: 1 to {LAST_ISSUE:,}")
    return issue
