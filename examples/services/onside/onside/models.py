"""Articles, and how often each was read."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """None of the tables names a schema: the login's search_path begins with the service's own."""


class Article(Base):
    """One that can be searched for by any part of its title."""

    __tablename__ = "articles"
    __table_args__ = (
        Index(
            "ix_articles_title_trigrams",
            "title",
            postgresql_using="gin",
            # By its whole name: migrations see the service's schema alone.
            postgresql_ops={"title": "public.gin_trgm_ops"},
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    title: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Reading(Base):
    """How often an article was read on a day; a partition for each year."""

    __tablename__ = "readings"
    __table_args__ = {"postgresql_partition_by": "RANGE (day)"}  # noqa: RUF012 - as SQLAlchemy wants it

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    readings: Mapped[int]
