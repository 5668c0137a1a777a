"""Signals other apps may listen to. Each is sent after the change is committed."""

from django.dispatch import Signal

articles_ingested = Signal()  # feed, article_ids
article_triaged = Signal()  # article_ids, state, user
digest_approved = Signal()  # digest
digest_sent = Signal()  # digest
sending_wanted = Signal()  # digest_id: somebody said it may go, and its time has come
errands_wanted = Signal()  # no arguments: somebody asked for what is done in the background
poll_wanted = Signal()  # feed_id: somebody waits for what it has
links_wanted = Signal()  # digest_id: somebody waits for where its links lead
feed_rang = Signal()  # no arguments: a hub told of news, and a feed is due
confirmation_wanted = Signal()  # no arguments: somebody waits for a mail with a button
member_confirmed = Signal()  # member
member_left = Signal()  # member, newsletter
