"""The three kinds of error, and no fourth.

ConnectorError
|- Retryable       the outside system may answer later: try again with backoff
|- Rejected        it never will for this input: keep it as a dead letter and go on
`- Misconfigured   a person must mend the set-up: stop the process and say what to do
"""


class ConnectorError(Exception):
    """Something went wrong at the border to an outside system."""


class Retryable(ConnectorError):
    """The same call may succeed later."""


class Rejected(ConnectorError):
    """The same input will never be taken."""


class Misconfigured(ConnectorError):
    """The process cannot do its work as it is set up; the message says what to mend."""
