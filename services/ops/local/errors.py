"""The one refusal of this package: something on this machine is in the way, said in one line."""


class LocalPartError(RuntimeError):
    """A local part cannot start, stop or be reached; the message is one line a person can act on."""
