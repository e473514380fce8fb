"""Courses, lessons, and who has finished what."""

from __future__ import annotations

import enum

from sqlalchemy import BigInteger, CheckConstraint, Computed, Enum, ForeignKey, Identity
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(AsyncAttrs, DeclarativeBase):
    """None of the tables names a schema: the login's search_path begins with the service's own."""


class Level(enum.Enum):
    """For whom a course is."""

    beginner = "beginner"
    advanced = "advanced"
    expert = "expert"


class Course(Base):
    """What can be learnt."""

    __tablename__ = "courses"
    __table_args__ = (CheckConstraint("price_cents >= 0", name="courses_price_cents_check"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    title: Mapped[str]
    level: Mapped[Level] = mapped_column(Enum(Level, name="course_level"))
    price_cents: Mapped[int]
    price: Mapped[str] = mapped_column(Computed("(price_cents / 100)::text || ' EUR'", persisted=True))


class Lesson(Base):
    """A part of a course."""

    __tablename__ = "lessons"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str]
