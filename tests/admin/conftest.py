"""Who works at the desk: an editor, a moderator, somebody with no rights there."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group
from django.test import Client

ROLES = ("anonymous", "nobody", "editor", "moderator", "superuser")
GROUPS = {"editor": "Editors", "moderator": "Moderators"}


def make_user(role: str) -> AbstractUser:
    user = get_user_model().objects.create_user(
        username=role, email=f"{role}@union.example", password="x", is_superuser=role == "superuser"
    )
    if role in GROUPS:
        user.groups.add(Group.objects.get(name=GROUPS[role]))
    return user


def client_for(role: str) -> Client:
    client = Client()
    if role != "anonymous":
        client.force_login(make_user(role))
    return client


@pytest.fixture
def editor(db: None) -> Client:
    return client_for("editor")


@pytest.fixture
def moderator(db: None) -> Client:
    return client_for("moderator")
