"""What can go wrong, one small tree. A message names the thing and says what to do."""


class NewsletterError(Exception):
    """The root: commands print its message and end with a non-zero status."""


class FeedError(NewsletterError):
    """A feed could not be read. `code` is stable (history, tests); the message is for an editor."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status
        self.retry_after = retry_after  # seconds the publisher asks us to wait


class FeedUnreachable(FeedError):
    """No answer: name, connection, time-out, TLS, or an HTTP error status."""


class FeedRefused(FeedError):
    """Not fetched for safety: a private address, a scheme that is not http(s)."""


class FeedTooLarge(FeedError):
    """The answer is larger than FETCH_MAX_BYTES once decoded."""


class FeedInvalid(FeedError):
    """The answer is not a feed."""


class FeedGone(FeedError):
    """410: the publisher says it will not come back."""


class InvalidMember(NewsletterError):
    """An address or a choice that cannot be stored."""


class InvalidToken(NewsletterError):
    """A personal link that we did not make, or that is too old."""


class DigestNotReady(NewsletterError):
    """A digest cannot be approved or sent as it stands; the message says what is missing."""


class SecondApprovalWanted(DigestNotReady):
    """The issue goes out on two people's word, and not both have given theirs."""


class UnknownNewsletter(NewsletterError):
    """No newsletter has that slug."""


class TransportError(NewsletterError):
    """The mail server refused or vanished.

    `permanent`: retrying cannot help. `phase`: where it happened (connect, greeting, ehlo,
    starttls, auth, mail, rcpt, data, body, reply).
    """

    def __init__(
        self, message: str, *, phase: str, code: int | None = None, permanent: bool = False
    ) -> None:
        super().__init__(message)
        self.phase = phase
        self.code = code
        self.permanent = permanent


class LeaseLost(NewsletterError):
    """Another worker took this batch over: stop writing to it."""


class MailboxUnreachable(NewsletterError):
    """The mailbox for bounces could not be read to the end."""


class StepsFailed(NewsletterError):
    """Some steps of a tick failed; the log has each reason. The other steps were done."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Failed, and tried again at the next tick: {', '.join(names)}")


class BadEvaluationFile(NewsletterError):
    """A file for evaluate_themes is not as it should be; names the file and the line."""
