"""New passwords for logins, one at a time, each in force and delivered before the next; and the state's put back."""

from engarde.rotate.delivery import NOWHERE as NOWHERE
from engarde.rotate.delivery import Deliverer as Deliverer
from engarde.rotate.reapply import put_back as put_back
from engarde.rotate.run import How as How
from engarde.rotate.run import rotate as rotate
from engarde.rotate.show import as_json as as_json
from engarde.rotate.show import as_text as as_text
