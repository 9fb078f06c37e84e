"""What a relay hands on again is known again, in the transaction of its delivery."""

import asyncio

import pytest

from tests.store_parts import *  # noqa
