"""Every scenario: to import this is to register them all."""

from tests.crashes import forwarder, kernel, listener_process, relay, relay_reader

__all__ = ["forwarder", "kernel", "listener_process", "relay", "relay_reader"]
