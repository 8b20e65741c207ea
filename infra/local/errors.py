"""What can stop the local stack from working, told to a person with what to do about it."""


class StackError(Exception):
    """The local stack cannot go on; `advice` says what to do."""

    def __init__(self, problem: str, advice: str = "") -> None:
        """Keep the problem and the advice apart, and show both."""
        super().__init__(f"{problem}\n  {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice


class NotReadyError(Exception):
    """A part does not answer as it should yet; asking again may help."""
