"""Places in a rendered mail that each member's copy fills."""

# Stands for a member's link token (members.tokens makes them of the same length), in a rendered
# variant. ASCII letters and digits only: no escaping, in HTML or in a URL, can change it.
TOKEN_SLOT = "TOKENSLOTTOKENSLOTTOKENSLOT00000"  # noqa: S105


def without_slot(text: str) -> str:
    """Whoever writes the slot's own letters, a publisher or an editor, gets no reader's token."""
    return text.replace(TOKEN_SLOT, "")
