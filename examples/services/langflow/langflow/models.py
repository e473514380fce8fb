"""Flows and their runs, as SQLModel has them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Flow(SQLModel, table=True):
    """What can be run."""

    __tablename__ = "flows"

    id: uuid.UUID = Field(primary_key=True, sa_column_kwargs={"server_default": func.gen_random_uuid()})
    name: str = Field(unique=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, nullable=False)


class Run(SQLModel, table=True):
    """One time that it was."""

    __tablename__ = "runs"

    id: uuid.UUID = Field(primary_key=True, sa_column_kwargs={"server_default": func.gen_random_uuid()})
    flow_id: uuid.UUID = Field(foreign_key="flows.id", index=True)
    started_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
