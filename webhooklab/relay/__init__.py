"""A public server that takes deliveries and hands them to a lab that has no public address.

protocol   what relay and reader say to each other: pure
limits     its limits, and those of reading it
server/    the relay itself: `webhooklab relay`
"""
