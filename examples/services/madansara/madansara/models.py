"""Campaigns, their owners and their posts."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Enum, ForeignKey, Identity, Sequence, func
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType


class Base(DeclarativeBase):
    """None of the tables names a schema: the login's search_path begins with the service's own."""


class Citext(UserDefinedType[str]):
    """Text without regard to case, by its whole name: migrations see the service's schema alone."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """How a column's definition names it."""
        return "public.citext"


# Under this name autogenerate meets the type in the database.
ischema_names["public.citext"] = Citext

campaign_number = Sequence("campaign_number", start=1000, metadata=Base.metadata)


class Status(enum.Enum):
    """How far a campaign is."""

    draft = "draft"
    live = "live"
    ended = "ended"


class Owner(Base):
    """A user of the platform, as far as this service needs to know one."""

    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(Citext, unique=True)


class Campaign(Base):
    """What is to be said, and by whom."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, server_default=campaign_number.next_value())
    name: Mapped[str]
    status: Mapped[Status] = mapped_column(Enum(Status, name="campaign_status"), server_default="draft")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Post(Base):
    """One time that it is said."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
