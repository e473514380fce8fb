"""A fake of Railway's API that answers over HTTP from Railway's own schema."""

from tests.railway.fake import Fake
from tests.railway.faults import Delay, Dropped, Http, Message
from tests.railway.given import GivenProject, GivenService
from tests.railway.requests import Request

__all__ = ["Delay", "Dropped", "Fake", "GivenProject", "GivenService", "Http", "Message", "Request"]
