"""What is wrong with a command line that is well-formed: said in one line, without the usage."""

from statewatch.core.errors import StatewatchError


class MistakeError(StatewatchError):
    """What was asked for cannot be asked for like this; the message says how."""

    exit_code = 2
