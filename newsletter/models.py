"""Django finds the plugin's models here; stages import their own."""

from newsletter.archive.models import ArchivePage
from newsletter.articles.models import (
    Article,
    ArticleAddress,
    ArticleVersion,
    Identity,
    PageText,
    Sighting,
    Story,
)
from newsletter.articles.stories.models import Fingerprint, Resemblance, Shingle
from newsletter.delivery.bounces.models import (
    Bounce,
    BounceCount,
    MailboxLook,
    ProviderEvent,
    ReportCount,
)
from newsletter.delivery.models import Batch, Delivery, Exclusion, Segment
from newsletter.delivery.pace.models import Slot, Throttle
from newsletter.delivery.proof_lists import ProofList
from newsletter.delivery.pulse import Pulse
from newsletter.digests.editors import EditorMail
from newsletter.digests.following import FollowedLink
from newsletter.digests.link_requests import LinkRequest
from newsletter.digests.models import Digest, DigestItem, Newsletter, Variant
from newsletter.digests.pictures import Picture
from newsletter.feeds.hub import HubSubscription
from newsletter.feeds.models import Backfill, Feed, FetchRecord, Turn
from newsletter.members.models import (
    AddressChange,
    Consent,
    Lifting,
    Member,
    Selection,
    SignupAttempt,
    Subscription,
    Suppression,
)
from newsletter.themes.models import (
    ArticleStems,
    LearnedModel,
    Tagging,
    Theme,
    ThemeAssignment,
    WordsInForce,
)

__all__ = [
    "AddressChange",
    "ArchivePage",
    "Article",
    "ArticleAddress",
    "ArticleStems",
    "ArticleVersion",
    "Backfill",
    "Batch",
    "Bounce",
    "BounceCount",
    "Consent",
    "Delivery",
    "Digest",
    "DigestItem",
    "EditorMail",
    "Exclusion",
    "Feed",
    "FetchRecord",
    "Fingerprint",
    "FollowedLink",
    "HubSubscription",
    "Identity",
    "LearnedModel",
    "Lifting",
    "LinkRequest",
    "MailboxLook",
    "Member",
    "Newsletter",
    "PageText",
    "Picture",
    "ProofList",
    "ProviderEvent",
    "Pulse",
    "ReportCount",
    "Resemblance",
    "Segment",
    "Selection",
    "Shingle",
    "Sighting",
    "SignupAttempt",
    "Slot",
    "Story",
    "Subscription",
    "Suppression",
    "Tagging",
    "Theme",
    "ThemeAssignment",
    "Throttle",
    "Turn",
    "Variant",
    "WordsInForce",
]
