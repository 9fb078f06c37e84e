"""Pictures. The door to matplotlib, which is loaded when a picture is asked for.

    lives        what happened to each entity, or to very many
    lateness     how late each side was; what polling more or less often would cost
    retries      how long senders waited before they tried again
    presence     how often fields were there, over time
    canvas       axes, colours, times, a picture for a page

Shapes and hatches say what colours say (those of Okabe and Ito: jfly.uni-koeln.de/color); text and
edges are of the user's own style, so that a dark one stays readable.
"""

from webhooklab.charts.canvas import HEIGHT, inlined
from webhooklab.charts.lateness import plot_latency, plot_what_if
from webhooklab.charts.lives import MAX_LINES, height, plot
from webhooklab.charts.presence import plot_presence
from webhooklab.charts.retries import plot_retries

__all__ = [
    "HEIGHT",
    "MAX_LINES",
    "height",
    "inlined",
    "plot",
    "plot_latency",
    "plot_presence",
    "plot_retries",
    "plot_what_if",
]
