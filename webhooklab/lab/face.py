"""What all faces of a Lab stand on."""

from __future__ import annotations

from webhooklab.parts import Parts


class Face:
    """A group of a Lab's methods. All state is in the parts, which the faces share."""

    _parts: Parts
