"""The live inbox: a widget that shows deliveries as they are stored, also while a cell runs.

The kernel pushes rows to the browser (`feed`); the browser filters, sorts, groups and shows them by
itself (`inbox.mjs`), and asks for what it does not hold (`answers`). What a user has it send goes
out from the kernel (`actions`). When the lab closes, a static page stands in its place
(`snapshot`), so that a saved notebook shows something without a kernel.
"""

from webhooklab.inbox.actions import Resend, SendOn
from webhooklab.inbox.inbox import Inbox
from webhooklab.inbox.place import in_notebook
from webhooklab.inbox.snapshot import snapshot_html
from webhooklab.inbox.state import Description, Pull
from webhooklab.inbox.widget import InboxWidget

__all__ = [
    "Description",
    "Inbox",
    "InboxWidget",
    "Pull",
    "Resend",
    "SendOn",
    "in_notebook",
    "snapshot_html",
]
